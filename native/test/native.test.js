import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { backendInfo } from '../index.js'
import { serially, skipped, withDispatch } from './with-dispatch.js'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const folder = path.join(root, 'build', 'test')
const prefix = path.dirname(path.dirname(realpathSync(process.execPath)))
const headers = [prefix, '/usr', '/usr/local']
  .map(base => path.join(base, 'include', 'node'))
  .find(dir => existsSync(dir))
const compiler = ['g++', 'clang++'].find(name => spawnSync(name, ['--version']).status === 0)

// Those parts of the addon that know nothing of JavaScript.
const parts = [
  'queues/libdispatch',
  'queues/elf_file',
  'queues/queue',
  'threads/job',
  'threads/inbox',
  'threads/pinned_thread',
  'ciphers/cipher',
  'ciphers/cipher_batch',
  'ciphers/keccak',
  'ciphers/openssl',
]
const sources = [
  ...parts.map(name => path.join(root, 'src', `${name}.cc`)),
  ...['main.cc', 'doubles.cc'].map(name => path.join(root, 'test', 'native', name)),
]
const watched = ['src', 'test/native'].flatMap(dir =>
  readdirSync(path.join(root, dir), { recursive: true }).map(name => path.join(root, dir, name)),
)

function run(command, args, env = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    child.on('close', (code, signal) => resolve({ code, signal, output }))
  })
}

async function build(name, flags) {
  const program = path.join(folder, name)
  const built = existsSync(program) ? statSync(program).mtimeMs : 0
  if (watched.every(file => statSync(file).mtimeMs < built)) return { program, output: '' }
  mkdirSync(folder, { recursive: true })
  const options = ['-std=c++17', '-g', '-O1', '-DNAPI_VERSION=8', `-I${headers}`, '-rdynamic', ...flags]
  const { code, output } = await run(compiler, [...options, ...sources, '-ldl', '-lpthread', '-o', program])
  return { program: code === 0 ? program : undefined, output }
}

const test = compiler === undefined || headers === undefined ? skipped : serially(withDispatch)
const variants = [
  ['plain', [], 1_000_000, {}],
  ['AddressSanitizer', ['-fsanitize=address,undefined', '-fno-omit-frame-pointer'], 200_000, {}],
  [
    'ThreadSanitizer',
    ['-fsanitize=thread'],
    100_000,
    { TSAN_OPTIONS: `halt_on_error=1 suppressions=${path.join(root, 'test', 'native', 'tsan.suppressions')}` },
  ],
]

for (const [name, flags, items, env] of variants) {
  test(`the native side without JavaScript, ${name}, ${items} items`, async t => {
    // Compiling takes 20 s, and minutes on a busy machine; ava would give up after two minutes without a result.
    t.timeout(600_000)
    const { program, output } = await build(`native-${name}`, flags)
    t.not(program, undefined, output)
    const result = await run(program, [String(items)], { SPIMPL_LIBDISPATCH: backendInfo().libdispatch.path, ...env })
    t.log(result.output.trim())
    t.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.output.slice(0, 8000))
    t.is(result.output.match(/^ok /gm)?.length, 7)
  })
}
