import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import { projectRoot as root } from './vectors.ts'

/** lint/law.mjs, which is no part of what TypeScript compiles. */
const { readLaw, towerText, violations } = (await import(path.join(root, 'lint', 'law.mjs'))) as {
  readLaw(root: string): Law
  towerText(law: Law): string
  violations(root: string, law?: Law): readonly { readonly file: string; readonly rule: string }[]
}
interface Law {
  readonly floors: readonly { readonly folder: string; readonly holds: string; readonly isCore?: boolean }[]
  readonly aboveAll: readonly string[]
  /** Cycles of files that are allowed. */
  readonly cycles: readonly { readonly files: readonly string[]; readonly reason: string }[]
  readonly maxLines: number
  readonly maxLinesOfActor: number
  readonly maxFilesInRoom: number
  readonly maxColumnsOfComment: number
}
const law = readLaw(root)
const FLOORS = law.floors.map(({ folder }) => folder)
/** Floors whose files are cores (rule 1), but for those of src/history that read headers from files and clients. */
const CORES = law.floors.filter(({ isCore }) => isCore === true).map(({ folder }) => folder)
const CLOCKS = [
  'Date.now()',
  'new Date()',
  'new Date(1)',
  'Math.random()',
  'performance.now()',
  'globalThis.performance.now()',
  'process.hrtime.bigint()',
  'crypto.getRandomValues(new Uint8Array(1))',
  'crypto.randomUUID()',
  'setTimeout(() => {}, 1)',
  'setInterval(() => {}, 1)',
  'setImmediate(() => {})',
  'queueMicrotask(() => {})',
  'process.nextTick(() => {})',
]
const PROMISES = ['new Promise(() => {})', 'Promise.resolve()', "import('node:fs')", "await import('./one.ts')"]
const MODULES = ['node:dgram', 'node:net', 'node:fs', 'node:timers/promises', 'node:perf_hooks', 'node:crypto']

const exporting = (expression: string): string => `export const one = ${expression}\n`
const importing = (module: string): string => `import * as what from '${module}'\n\nexport const one = what\n`

interface Snippet {
  /** In the project. */
  readonly file: string
  readonly text: string
  /** What lint must say of it; undefined: nothing. */
  readonly rule: 'lint/style/noRestrictedGlobals' | 'plugin' | undefined
}

function* snippets(): Iterable<Snippet> {
  for (const floor of CORES) {
    for (const [index, clock] of CLOCKS.entries()) {
      const global = /^(performance|set[TI]|queue)/.test(clock)
      const rule = global ? 'lint/style/noRestrictedGlobals' : 'plugin'
      yield { file: `${floor}/clock-${index}.ts`, text: exporting(clock), rule }
    }
    for (const [index, promise] of PROMISES.entries())
      yield { file: `${floor}/promise-${index}.ts`, text: exporting(promise), rule: 'plugin' }
    for (const module of MODULES)
      yield { file: `${floor}/${module.replace(/\W/g, '-')}.ts`, text: importing(module), rule: 'plugin' }
  }
  yield { file: 'src/store/policy.ts', text: exporting('Date.now()'), rule: 'plugin' }
  // A floor that is no core may do all of it.
  for (const [index, text] of [...CLOCKS, ...PROMISES].entries())
    yield { file: `src/transport/free-${index}.ts`, text: exporting(text), rule: undefined }
}

/** The rules that lint names for each file of a directory. */
function lint(directory: string): Promise<Map<string, Set<string>>> {
  const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const args = [biome, 'lint', '--reporter=github', '--max-diagnostics=none', '.']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: directory, maxBuffer: 1 << 24 }, (_failed, stdout, stderr) => {
      const said = new Map<string, Set<string>>()
      for (const [, rule, file] of stdout.matchAll(/^::error title=([^,]+),file=([^,]+),/gm)) {
        const name = path.relative(directory, path.resolve(directory, file!))
        said.set(name, (said.get(name) ?? new Set()).add(rule!))
      }
      if (said.size > 0) resolve(said)
      else reject(new Error(`expected lint to complain, got ${stdout}${stderr}`))
    })
  })
}

test('lint refuses clocks, randomness, I/O and promises in a core', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-lint-'))
  try {
    const { vcs: _, ...configuration } = JSON.parse(await readFile(path.join(root, 'biome.json'), 'utf8'))
    await writeFile(path.join(directory, 'biome.json'), JSON.stringify(configuration))
    await cp(path.join(root, 'lint'), path.join(directory, 'lint'), { recursive: true })
    const all = [...snippets()]
    for (const floor of FLOORS) await mkdir(path.join(directory, floor), { recursive: true })
    await Promise.all(all.map(({ file, text }) => writeFile(path.join(directory, file), text)))
    const said = await lint(directory)
    const wrong = all.filter(({ file, rule }) => {
      const rules = said.get(file) ?? new Set()
      return rule === undefined ? rules.size > 0 : !rules.has(rule)
    })
    t.deepEqual(
      wrong.map(({ file, text, rule }) => ({ file, text, expected: rule, got: [...(said.get(file) ?? [])] })),
      [],
    )
  } finally {
    await rm(directory, { recursive: true })
  }
})

/** A tree with the given files, judged by the law. */
async function judged(files: Readonly<Record<string, string>>, cycles: Law['cycles'] = []): Promise<string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-law-'))
  try {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(path.join(directory, path.dirname(file)), { recursive: true })
      await writeFile(path.join(directory, file), text)
    }
    const floors = law.floors.map(({ folder, holds }) => ({ folder, holds }))
    return violations(directory, { ...law, floors, cycles }).map(({ file, rule }) => `${rule} ${file}`)
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('the house keeps its own law', t => {
  t.deepEqual(violations(root), [])
})

test('imports point down only', async t => {
  const files: Record<string, string> = {}
  const expected: string[] = []
  const houses = [...FLOORS, ...law.aboveAll]
  for (const [level, from] of FLOORS.entries()) {
    for (const [target, to] of houses.entries()) {
      if (to === from) continue
      const file = `${from}/imports-${to.replace('/', '-')}.ts`
      files[file] = importing(`${path.relative(from, to)}/one.ts`)
      if (target > level) expected.push(`floor ${file}`)
    }
  }
  const said = await judged(files)
  t.deepEqual(said.filter(line => line.startsWith('floor')).sort(), expected.sort())
  t.deepEqual(await judged({ 'cli/one.ts': importing('spimpl-runtime') }), [])
  t.deepEqual(await judged({ 'cli/one.ts': importing('spimpl-runtime/internal/queues/ring.js') }), ['door cli/one.ts'])
  t.deepEqual(await judged({ 'test/one.ts': importing('spimpl-runtime/internal/queues/ring.js') }), [])
})

test('files and rooms have their size, and no drawer is one', async t => {
  const line = 'export const one = 1\n'
  t.deepEqual(await judged({ 'src/utp/one.ts': line.repeat(law.maxLines) }), [])
  t.deepEqual(await judged({ 'src/utp/one.ts': line.repeat(law.maxLines + 1) }), ['size src/utp/one.ts'])
  t.deepEqual(await judged({ 'actors/one.ts': line.repeat(law.maxLinesOfActor + 1) }), ['size actors/one.ts'])
  t.deepEqual(await judged({ 'src/utp/wire/utils.ts': line }), ['drawer src/utp/wire/utils.ts'])
  t.deepEqual(await judged({ 'src/utp/one.ts': `// ${'x'.repeat(law.maxColumnsOfComment)}\n` }), [
    'columns src/utp/one.ts',
  ])
  const room = Object.fromEntries(
    Array.from({ length: law.maxFilesInRoom + 1 }, (_, index) => [`src/utp/wire/n${index}.ts`, line]),
  )
  t.deepEqual(await judged(room), ['room src/utp/wire'])
})

test('no files import each other in a circle, types included, except where the law gives a reason', async t => {
  const files = {
    'src/utp/a.ts': "import type { B } from './b.ts'\nexport type A = B\n",
    'src/utp/b.ts': "export type { C as B } from './c.ts'\n",
    'src/utp/c.ts': "export type C = typeof import('./a.ts')\n",
    'src/utp/d.ts': "import './a.ts'\n",
  }
  const cycle = ['src/utp/a.ts', 'src/utp/b.ts', 'src/utp/c.ts']
  t.deepEqual(await judged(files), ['cycle src/utp/a.ts'])
  t.deepEqual(await judged(files, [{ files: cycle, reason: 'a reason' }]), [])
  t.deepEqual(await judged(files, [{ files: cycle, reason: '' }]), ['cycle src/utp/a.ts'])
  t.deepEqual(await judged(files, [{ files: cycle.slice(1), reason: 'one is missing' }]), [
    'cycle src/utp/a.ts',
    'cycle src/utp/b.ts',
  ])
  t.deepEqual(await judged({}, [{ files: cycle, reason: 'it is gone' }]), ['cycle src/utp/a.ts'])
})

test('an object of a core is changed by its own verbs, and floors of cores have the same files', async t => {
  const floors = [{ folder: 'src/utp', holds: 'streams', isCore: true }]
  const lawOf = (ownRecords: Record<string, string>, files?: readonly string[]) =>
    ({ ...law, floors: floors.map(floor => ({ ...floor, files })), ownRecords }) as unknown as Law
  const rules = async (text: string, judge: Law): Promise<string[]> => {
    const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-law-'))
    try {
      await mkdir(path.join(directory, 'src/utp'), { recursive: true })
      await writeFile(path.join(directory, 'src/utp/one.ts'), text)
      return violations(directory, judge).map(({ file, rule }) => `${rule} ${file}`)
    } finally {
      await rm(directory, { recursive: true })
    }
  }
  const outside = ['stream.bytes = 1', 'stream!.bytes += 1', 'this.#stream.bytes++', 'a.b.c ??= 1', 'stream.bytes--']
  for (const line of outside) {
    t.deepEqual(await rules(`  ${line}\n`, lawOf({})), ['owner src/utp/one.ts'], line)
    t.deepEqual(await rules(`  ${line}\n`, lawOf({ 'src/utp/one.ts': 'its own' })), [], line)
  }
  const inside = [
    'this.bytes = 1',
    'this.#bytes += 1',
    'const bytes = stream.bytes',
    'stream.add(1)',
    'if (a.b === 1) go()',
  ]
  for (const line of inside) t.deepEqual(await rules(`  ${line}\n`, lawOf({})), [], line)
  t.deepEqual(await rules('export {}\n', lawOf({}, ['limits.ts'])), ['core src/utp', 'core src/utp'])
})

test('ARCHITECTURE.md and CONTRIBUTING.md name only files that exist', async t => {
  for (const page of ['ARCHITECTURE.md', 'CONTRIBUTING.md']) {
    const text = await readFile(path.join(root, page), 'utf8')
    const named = [...text.matchAll(/`((?:src|actors|node|cli|native|test|lint|bench|docs|scripts)\/[\w./-]*)`/g)]
    const missing = named.map(([, file]) => file!).filter(file => !existsSync(path.join(root, file)))
    t.deepEqual(missing, [], page)
    t.true(named.length > 3)
  }
})

test('ARCHITECTURE.md shows the floors that lint knows', async t => {
  t.true((await readFile(path.join(root, 'ARCHITECTURE.md'), 'utf8')).includes(towerText(law)))
})

/** The doors of both packages, as source files. */
async function doors(): Promise<Set<string>> {
  const found = new Set<string>()
  for (const folder of ['.', 'src/runtime']) {
    const { exports } = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8'))
    for (const [name, door] of Object.entries<{ readonly types?: string; readonly default?: string } | string>(
      exports,
    )) {
      if (typeof door === 'string' || door.default === undefined) continue
      if (door.types !== door.default.replace(/\.js$/, '.d.ts')) throw new Error(`${name}: types and code differ`)
      found.add(path.join(folder, door.default.replace('./dist/', '').replace(/\.js$/, '.ts')))
    }
  }
  return found
}

const DECLARATION = String.raw`^export (?:abstract )?(?:async )?(?:function\*?|class|interface|type|const) `

/** Where a file hands on what another one exports: the names, or all of them. */
function* handedOn(
  file: string,
  text: string,
): Iterable<{ readonly names: readonly string[] | 'all'; readonly from: string }> {
  for (const [, list, source] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm)) {
    const names = list!.split(',').map(name => name.trim().replace(/^type /, ''))
    yield { names: names.filter(name => name !== ''), from: path.join(path.dirname(file), source!) }
  }
  for (const [, source] of text.matchAll(/^export (?:type )?\* from '(\.[^']+)'/gm)) {
    yield { names: 'all', from: path.join(path.dirname(file), source!) }
  }
}

const sourceOf = (file: string): string => readFileSync(path.join(root, file), 'utf8')

/** The symbols that a file exports. */
function* exported(file: string): Iterable<string> {
  const text = sourceOf(file)
  for (const [, name] of text.matchAll(new RegExp(`${DECLARATION}(\\w+)`, 'gm'))) yield name!
  for (const { names, from } of handedOn(file, text)) yield* names === 'all' ? exported(from) : names
}

/** The text before the declaration of a symbol, in whatever file that stands; undefined where there is none. */
function textBefore(file: string, name: string): string | undefined {
  const text = sourceOf(file)
  const at = text.search(new RegExp(`${DECLARATION}${name}\\b`, 'm'))
  if (at >= 0) return text.slice(0, at)
  for (const { names, from } of handedOn(file, text)) {
    if (names !== 'all' && !names.includes(name)) continue
    const before = textBefore(from, name)
    if (before !== undefined) return before
  }
  return undefined
}

test('every symbol of the doors of both packages has a doc comment', async t => {
  const bare: string[] = []
  let symbols = 0
  for (const door of await doors()) {
    for (const name of exported(door)) {
      symbols++
      if (textBefore(door, name)?.trimEnd().endsWith('*/') !== true) bare.push(`${door}: ${name}`)
    }
  }
  t.deepEqual(bare, [])
  t.true(symbols > 150)
})
