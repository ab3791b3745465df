import { spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { DataDirectory } from '../../src/store/data-directory.ts'
import { removeTemporary, temporaryDirectory } from '../testing/store/temporary.ts'

test.after.always(removeTemporary)

const modeOf = (file: string): number => statSync(file).mode & 0o777
const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)

test('makes the directory for its owner only, the key file too', async t => {
  const directory = path.join(temporaryDirectory(), 'a', 'b')
  await using data = await DataDirectory.open(directory)
  t.is(modeOf(directory), 0o700)
  t.deepEqual(await data.loadOrCreateKey(() => key(5)), key(5))
  t.is(modeOf(path.join(directory, 'node.key')), 0o600)
  t.is(readFileSync(path.join(directory, 'node.key'), 'utf8'), `0x${'05'.repeat(32)}\n`)
  t.deepEqual(readdirSync(directory).sort(), ['lock', 'node.key'])
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a directory that the system makes for nobody is refused by name, whatever it says (Linux)', async t => {
  // mkdir says ENOENT here, which node:fs takes for a missing parent, again and again.
  for (const directory of ['/proc/spimpl', '/proc/spimpl/a/b']) {
    const error = await t.throwsAsync(DataDirectory.open(directory), { code: 'FILE_INVALID' })
    t.true(error?.message.includes(directory))
  }
})

test('the key is made once and found again; a wider mode is narrowed', async t => {
  const directory = temporaryDirectory()
  const first = await DataDirectory.open(directory)
  await first.loadOrCreateKey(() => key(1))
  await first.close()
  chmodSync(path.join(directory, 'node.key'), 0o644)
  await using second = await DataDirectory.open(directory)
  t.deepEqual(await second.loadOrCreateKey(() => t.fail() as never), key(1))
  t.is(modeOf(path.join(directory, 'node.key')), 0o600)
})

test('a given key is kept; another one later is refused with both ways out', async t => {
  await using data = await DataDirectory.open(temporaryDirectory())
  t.deepEqual(await data.loadOrCreateKey(() => t.fail() as never, key(7)), key(7))
  t.deepEqual(await data.loadOrCreateKey(() => t.fail() as never, key(7)), key(7))
  const error = await t.throwsAsync(
    data.loadOrCreateKey(() => key(1), key(8)),
    { code: 'CONFIG_INVALID' },
  )
  t.regex(error?.message ?? '', /--private-key.*node\.key.*--data-dir/)
})

test('a file that is no key is refused by its name, without its content', async t => {
  const directory = temporaryDirectory()
  await using data = await DataDirectory.open(directory)
  writeFileSync(path.join(directory, 'node.key'), 'my secret')
  const error = await t.throwsAsync(
    data.loadOrCreateKey(() => key(1)),
    { code: 'FILE_INVALID', message: /node\.key.*64 hexadecimal digits, got 9 characters/ },
  )
  t.false(error?.message.includes('secret'))
})

test('a path that cannot be a directory is FILE_INVALID', async t => {
  const file = path.join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  await t.throwsAsync(DataDirectory.open(path.join(file, 'x')), { code: 'FILE_INVALID', message: /file/ })
  await t.throwsAsync(DataDirectory.open(file), { code: 'FILE_INVALID' })
})

test('a directory that cannot be written to is reported, and its lock is released', async t => {
  const directory = temporaryDirectory()
  const lock = path.join(directory, 'lock')
  mkdirSync(lock)
  const refused = { code: 'FILE_INVALID', message: /written to at .*spimpl-test-/ }
  await t.throwsAsync(DataDirectory.open(directory), refused)
  rmdirSync(lock)
  await using data = await DataDirectory.open(directory)
  mkdirSync(path.join(directory, 'node.enr'))
  await t.throwsAsync(data.writeText('node.enr', 'enr:1'), refused)
  t.deepEqual(readdirSync(directory).sort(), ['lock', 'node.enr'], 'nothing half written stays')
})

test('a key file that cannot be read is FILE_INVALID', async t => {
  const directory = temporaryDirectory()
  await using data = await DataDirectory.open(directory)
  mkdirSync(data.keyFile)
  await t.throwsAsync(
    data.loadOrCreateKey(() => key(1)),
    { code: 'FILE_INVALID', message: /node\.key: EISDIR/ },
  )
})

test('small files are written whole, and absent ones are undefined', async t => {
  const directory = temporaryDirectory()
  await using data = await DataDirectory.open(directory)
  t.is(await data.readText('node.enr'), undefined)
  await data.writeText('node.enr', 'enr:1')
  await data.writeText('node.enr', 'enr:2')
  t.is(await data.readText('node.enr'), 'enr:2')
  t.is(modeOf(path.join(directory, 'node.enr')), 0o600)
})

test('a second holder is refused, by any name of the directory, until the first lets go', async t => {
  const parent = temporaryDirectory()
  const directory = path.join(parent, 'data')
  mkdirSync(directory)
  symlinkSync(directory, path.join(parent, 'alias'))
  const first = await DataDirectory.open(directory)
  for (const name of [directory, path.join(parent, 'alias'), `${directory}/.`]) {
    const error = await t.throwsAsync(DataDirectory.open(name), { code: 'STORE_LOCKED' })
    t.true(error?.message.includes(`process ${process.pid}`), error?.message)
    t.true(error?.message.includes(path.resolve(name)))
  }
  await first.close()
  const second = await DataDirectory.open(path.join(parent, 'alias'))
  await second.close()
})

test('of many that open at once exactly one gets the lock', async t => {
  const directory = temporaryDirectory()
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => DataDirectory.open(directory)))
  const held = tries.filter(one => one.status === 'fulfilled')
  t.is(held.length, 1)
  await held[0]!.value.close()
})

test('a killed holder holds nothing', async t => {
  const directory = temporaryDirectory()
  const module = new URL('../../src/store/data-directory.js', import.meta.url).href
  const program = `const { DataDirectory } = await import(${JSON.stringify(module)})
    await DataDirectory.open(${JSON.stringify(directory)})
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise(resolve => child.once('exit', resolve))
  for await (const line of createInterface(child.stdout)) {
    t.is(line, 'held')
    break
  }
  await t.throwsAsync(DataDirectory.open(directory), {
    code: 'STORE_LOCKED',
    message: new RegExp(`process ${child.pid}`),
  })
  child.kill('SIGKILL')
  await exited
  const data = await DataDirectory.open(directory)
  await data.close()
})
