import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import * as runtime from 'spimpl-runtime'
import * as computePool from 'spimpl-runtime/compute-pool'
import * as core from 'spimpl-runtime/core'
import * as machines from 'spimpl-runtime/machines'
import * as testing from 'spimpl-runtime/testing'
import { projectRoot } from '../vectors.ts'

/**
 * Every `@example` in src/runtime is compiled, against the package as users import it, and run. What it needs and does not
 * declare is in doc-examples/names.ts; what shows that it did what it says is added here.
 */
const checks: Readonly<Record<string, { readonly shows: string; readonly prints: string }>> = {
  'actor-1': {
    shows: `const ref = system.spawn(counter)
ref.tell({ type: 'add', by: 3 })
console.log(await ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 5_000 }))`,
    prints: '3',
  },
  'actor-ref-1': { shows: 'console.log(sum)', prints: '0' },
  'composition-1': {
    shows: '',
    prints: `| supervisor         | row   | lane | phase | needs |
|--------------------|-------|------|-------|-------|
| shop: rest-for-one | stock | main | shop  |       |`,
  },
  'composition-2': {
    shows: `const { stock } = running.refs
await new Promise(resolve => setImmediate(resolve))
console.log(await stock.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 5_000 }))`,
    prints: '-2',
  },
  'compute-pool-1': { shows: 'console.log(root.join())', prints: '1,2' },
  'counters-1': { shows: `console.log(counters.get('packetsReceived'))`, prints: '1' },
  'deadlines-1': { shows: `console.log(new PendingRequest().timeout.name)`, prints: 'request-timeout' },
  'dispatch-queue-1': { shows: 'console.log(count)', prints: '1' },
  'errors-1': { shows: 'console.log(error.code)', prints: 'CONFIG_INVALID' },
  'lent-1': {
    shows: `while (kept.length < 2) await new Promise(resolve => setImmediate(resolve))
console.log(kept.map(({ length }) => length).join())`,
    prints: '65536,65536',
  },
  'limits-1': { shows: `console.log(limits.sessions)`, prints: '16' },
  'machine-behavior-1': {
    shows: `ref.tell({ type: 'open' })
await new Promise(resolve => setImmediate(resolve))
console.log(JSON.stringify(system.inspect().children.at(-1)?.description))`,
    prints: '{"state":"opened","context":{},"status":"active"}',
  },
  'module-behavior-1': {
    shows: `await using running = await hashing.start()
const { hasher } = running.refs
console.log(await hasher.ask(replyTo => ({ type: 'hash', text: 'abc', replyTo }), { timeoutMs: 20_000 }))`,
    prints: 'ba7816bf',
  },
  'pending-calls-1': { shows: `console.log(calls.size)`, prints: '0' },
  'router-1': {
    shows: `for (let at = 0; at < 8; at++) workers.tell({ type: 'add', by: 1 })
const processed = () => system.inspect().children.at(-1)?.children.map(routee => routee.processed) ?? []
while (processed().reduce((sum, count) => sum + count, 0) < 8) await new Promise(resolve => setImmediate(resolve))
console.log(processed().join())`,
    prints: '2,2,2,2',
  },
  'state-table-1': { shows: `console.log(table.next('closed', 'open'))`, prints: 'opened' },
  'system-1': {
    shows: `console.log(await ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 5_000 }))`,
    prints: '2',
  },
  'system-2': {
    shows: `console.log(await ref.ask(replyTo => ({ type: 'hash', text: 'abc', replyTo }), { timeoutMs: 20_000 }))`,
    prints: 'ba7816bf',
  },
  'test-system-1': { shows: 'console.log(probe.received.length)', prints: '0' },
  'turn-1': { shows: `new Doubler().handle(21, 0, output => console.log(output))`, prints: '42' },
}

const run = promisify(execFile)
const sources = path.join(projectRoot, 'src', 'runtime')
const directory = path.join(projectRoot, 'dist', 'test', 'runtime', 'doc-examples')
const namesFile = path.join(projectRoot, 'test', 'runtime', 'doc-examples', 'names.ts')

/** The examples of every doc comment, by the name of their file and their number in it. */
function examples(): Map<string, string> {
  const found = new Map<string, string>()
  for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!file.endsWith('.ts') || file.startsWith(`dist${path.sep}`)) continue
    let number = 0
    for (const [, comment = ''] of readFileSync(path.join(sources, file), 'utf8').matchAll(/\/\*\*([\s\S]*?)\*\//g)) {
      const text = comment.replace(/^[ \t]*\* ?/gm, '')
      for (const [, code = ''] of text.matchAll(/@example\s+([\s\S]*?)(?=^@|$(?![\s\S]))/gm)) {
        found.set(`${path.basename(file, '.ts')}-${++number}`, code.trim())
      }
    }
  }
  return found
}

/** The names a module exports, types too. */
const exported = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^export (?:const|type|function|class) (\w+)/gm)].map(([, name]) => name!)

/** The doors of the runtime with what they export; a name that several doors have is imported from the first. */
const doors = [
  { door: 'spimpl-runtime', names: [...Object.keys(runtime), 'ReplyTo', 'Ref', 'Behavior', 'Core'] },
  { door: 'spimpl-runtime/compute-pool', names: Object.keys(computePool) },
  { door: 'spimpl-runtime/core', names: Object.keys(core).filter(name => !(name in runtime)) },
  { door: 'spimpl-runtime/machines', names: Object.keys(machines).filter(name => !(name in core)) },
  { door: 'spimpl-runtime/testing', names: Object.keys(testing).filter(name => !(name in runtime)) },
]

/** A name of the runtime is imported from the package, another from names.ts, unless the example declares it. */
function program(code: string, shows: string): string {
  const body = `${code}\n${shows}\n`
  const declares = (name: string) => new RegExp(`\\b(?:const|let|type|using|class) ${name}\\b`).test(body)
  const uses = (name: string) => new RegExp(`(?<![.'\\w])${name}\\b(?!:)`).test(body) && !declares(name)
  const ofNames = exported(namesFile).filter(uses)
  return [
    ...doors.map(({ door, names }) => {
      const used = names.filter(uses)
      return used.length > 0 ? `import { ${used.join(', ')} } from '${door}'` : ''
    }),
    `import { system as ambient${ofNames.map(name => `, ${name}`).join('')} } from './names.js'`,
    declares('system') ? `{\n${body}}` : body,
    // The threads of its lanes would keep the process.
    'await ambient.stop()',
  ].join('\n')
}

const found = examples()

test.before(async () => {
  const generated = [...found].map(([name, code]) => {
    const file = `example-${name}.ts`
    writeFileSync(path.join(directory, file), program(code, checks[name]?.shows ?? ''))
    return file
  })
  writeFileSync(
    path.join(directory, 'tsconfig.json'),
    JSON.stringify({
      extends: path.join(projectRoot, 'tsconfig.json'),
      compilerOptions: {
        rootDir: '.',
        outDir: '.',
        declaration: false,
        sourceMap: false,
        incremental: false,
        tsBuildInfoFile: null,
        noUnusedLocals: false,
        verbatimModuleSyntax: false,
      },
      include: generated,
      exclude: [],
    }),
  )
  const compiler = path.join(
    path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  )
  await run(process.execPath, [compiler, '-p', directory], { cwd: directory }).catch(error => {
    throw new Error(`the examples of doc comments do not compile\n${error.stdout}`)
  })
})

test.after.always(() => {
  for (const file of readdirSync(directory)) {
    if (file.startsWith('example-') || file === 'tsconfig.json') rmSync(path.join(directory, file))
  }
})

test('every example has its check, and every check its example', t => {
  t.deepEqual([...found.keys()].sort(), Object.keys(checks).sort())
})

for (const [name, { prints }] of Object.entries(checks)) {
  test(`the example ${name} does what it says`, async t => {
    const { stdout } = await run(process.execPath, [path.join(directory, `example-${name}.js`)], { timeout: 60_000 })
    t.is(stdout.trim(), prints)
  })
}
