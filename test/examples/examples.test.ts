import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { backendInfo } from 'node-dispatch-addon'
import { projectRoot } from '../vectors.ts'

const run = promisify(execFile)

/** What a program of examples/ prints, in lines. */
async function output(name: string): Promise<string[]> {
  const file = path.join(projectRoot, 'dist', 'examples', `${name}.js`)
  const { stdout } = await run(process.execPath, [file], { cwd: projectRoot, timeout: 60_000 })
  return stdout.trimEnd().split('\n')
}

test('counter', async t => {
  t.deepEqual(await output('counter'), ['42'])
})

test('two-nodes: they meet, and the second retrieves what the first stored; README shows this program', async t => {
  t.deepEqual(await output('two-nodes'), ['368022 bytes, over uTP'])
  const text = readFileSync(path.join(projectRoot, 'examples', 'two-nodes.ts'), 'utf8')
  const program = text.slice(text.indexOf('import'))
  t.true(readFileSync(path.join(projectRoot, 'README.md'), 'utf8').includes(`\`\`\`ts\n${program}\`\`\``))
  t.true(program.split('\n').length < 40)
})

test('supervised-workers: the parser fails, what stands on it restarts with it, in order', async t => {
  const lines = await output('supervised-workers')
  t.deepEqual(lines.slice(0, 8), [
    'parser starts',
    'index starts',
    '4 words',
    '/desk/parser failed',
    'index stops',
    'parser stops',
    'parser starts',
    'index starts',
  ])
  t.is(lines[8], '2 words')
  t.regex(lines.join('\n'), /parser running, 0 waiting, 3 handled, 1 restarts/)
})

test('thumbnailer: more pictures than the pool takes at once', async t => {
  t.deepEqual(await output('thumbnailer'), ['12 thumbnails of 1536 bytes', 'shades 0 1 2 3 4 5 6 7 8 9 10 11'])
})

test('confined-library: it takes its lane with it, and the program goes on', async t => {
  t.deepEqual(await output('confined-library'), [
    '{"name":"spimpl","lanes":[1,2]}',
    'YAMLParseError',
    'yaml, the lane of /parser, has died',
    '{"again":true}',
  ])
})

const { addon } = backendInfo()
const addonTest = addon.loaded || process.env.CI === 'true' ? test : test.skip

addonTest('confined-sqlite: SQLite on a thread of its own', async t => {
  const lines = await output('confined-sqlite')
  if (lines[0]?.startsWith('there is no SQLite here')) {
    t.not(process.env.CI, 'true', lines[0])
    return
  }
  t.deepEqual([lines[0], lines[2]], ['8,h0,h7', 'no such column: nonsense'])
  t.regex(lines[1] ?? '', /^with (node:sqlite|the system's SQLite 3\.)/)
})

addonTest('one-thread-library: a library of one thread and eight callers', async t => {
  const [line] = await output('one-thread-library')
  t.regex(line ?? '', /^(sums of eight callers: 1,2,3,4,5,6,7,8|this example builds)/)
})

test('chat-server', async t => {
  t.deepEqual(await output('chat-server'), [
    'ada sees "* ada joined, 1 here"',
    'bob sees "* bob joined, 2 here"',
    'ada sees "* bob joined, 2 here"',
    'ada sees "bob: hello"',
    'ada sees "* bob left"',
    'connections: 1 stopped, 0 late',
    'room: 1 stopped, 0 late',
  ])
})

const guided: Readonly<Record<string, readonly string[]>> = {
  '1-first-actor': ['2'],
  '3-full-mailboxes': ['true', 'true', '/log: mailbox-full', 'false', 'one', 'two'],
  '4-failure': [
    'worker starts',
    'worked on 1',
    '/boss/worker failed',
    'worker stops',
    'worker starts',
    'worked on 2',
    'worker stops',
  ],
}

for (const [name, expected] of Object.entries(guided)) {
  test(`guide: ${name}`, async t => {
    t.deepEqual(await output(`guide/${name}`), expected)
  })
}

test('guide: 2-time-and-waiting', async t => {
  t.true((await output('guide/2-time-and-waiting')).includes('polled'))
})

test('guide: 5-tree', async t => {
  const lines = await output('guide/5-tree')
  t.regex(lines.join('\n'), /node running[\s\S]*storage running[\s\S]*api running/)
  t.deepEqual(lines.slice(-5), [
    '/front/api stops',
    '/node/discovery stops',
    '/node/transport stops',
    '/node/storage stops',
    'all in time',
  ])
})

test('every block of the guide is what the file named above it says', t => {
  const guide = readFileSync(path.join(projectRoot, 'docs', 'actors.md'), 'utf8')
  const blocks = [...guide.matchAll(/\[`(examples\/[^`]+)`\][^\n]*\n+```ts\n([\s\S]*?)```/g)]
  t.is(blocks.length, 5)
  for (const [, file = '', code] of blocks) {
    t.is(readFileSync(path.join(projectRoot, file), 'utf8'), code ?? '', file)
  }
})

test('every program of examples/ is run here', t => {
  const directory = path.join(projectRoot, 'examples')
  const programs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  const tests = readdirSync(path.join(projectRoot, 'test', 'examples'))
    .map(file => readFileSync(path.join(projectRoot, 'test', 'examples', file), 'utf8'))
    .join('\n')
  for (const file of programs) {
    if (file.includes('/') && !file.startsWith('guide/')) continue
    t.true(tests.includes(path.basename(file, '.ts')), file)
    t.true(existsSync(path.join(projectRoot, 'dist', 'examples', file.replace('.ts', '.js'))))
  }
})
