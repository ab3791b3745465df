import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import { projectRoot as root } from './vectors.ts'

/** The tower of ARCHITECTURE.md from the ground up. */
const FLOORS = [
  'src/codec',
  'src/crypto',
  'src/runtime',
  'src/trace',
  'src/transport',
  'src/store',
  'src/identity',
  'src/discv5',
  'src/utp',
  'src/portal',
  'src/history',
  'src/rpc',
  'actors',
  'cli',
]
const ABOVE_ALL = ['test', 'bench']

/** Floors whose files are cores (rule 1), but for those of src/history that read headers from files and clients. */
const CORES = ['src/codec', 'src/identity', 'src/discv5', 'src/utp', 'src/portal', 'src/history']
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
  readonly rule: 'lint/style/noRestrictedImports' | 'lint/style/noRestrictedGlobals' | 'plugin' | undefined
}

function* snippets(): Iterable<Snippet> {
  const imports = (from: string, to: string, level: number, target: number): Snippet => ({
    file: `${from}/imports-${to.replace('/', '-')}.ts`,
    text: importing(`${path.relative(from, to)}/one.ts`),
    rule: target > level ? 'lint/style/noRestrictedImports' : undefined,
  })
  for (const [level, from] of FLOORS.entries()) {
    for (const [target, to] of FLOORS.entries()) if (to !== from) yield imports(from, to, level, target)
    for (const to of ABOVE_ALL) yield imports(from, to, level, FLOORS.length)
  }
  yield { file: 'src/errors.ts', text: importing('./codec/hex.ts'), rule: 'lint/style/noRestrictedImports' }
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

test('lint refuses imports upwards, and clocks, randomness, I/O and promises in a core', async t => {
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

/** Names under which anything may be put, and a barrel. */
const DRAWERS = /(^|[/-])(utils?|helpers?|common|misc)\b|\/index\.ts$/

/** Files of the project in a folder, by their paths from the root. */
async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true })
  return entries.filter(name => name.endsWith('.ts')).map(name => path.join(folder, name))
}

for (const [folder, most] of [
  ['src', 400],
  ['cli', 400],
  ['actors', 250],
] as const) {
  test(`no file of ${folder} has more than ${most} lines`, async t => {
    const files = await sources(folder)
    t.true(files.length > 5)
    for (const file of files) {
      const lines = (await readFile(path.join(root, file), 'utf8')).split('\n').length - 1
      t.true(lines <= most, `${file} has ${lines} lines: which noun in it wants a file of its own?`)
    }
  })

  test(`no file of ${folder} is named for a drawer`, async t => {
    const drawers = (await sources(folder)).filter(file => DRAWERS.test(file))
    t.deepEqual(drawers, [])
  })
}

/** The doors of the package by their names, as source files. */
async function doors(): Promise<Map<string, string>> {
  const { exports } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
  const found = new Map<string, string>()
  for (const [name, door] of Object.entries<{ readonly types: string; readonly default: string } | string>(exports)) {
    if (typeof door === 'string') continue
    if (door.types !== door.default.replace(/\.js$/, '.d.ts')) throw new Error(`${name}: types and code differ`)
    found.set(name, door.default.replace('./dist/', '').replace(/\.js$/, '.ts'))
  }
  return found
}

const DECLARATION = String.raw`^export (?:abstract )?(?:async )?(?:function\*?|class|interface|type|const) `

/** The symbols that a file declares and exports, and those that it hands on, with the file they come from. */
function* exported(file: string, text: string): Iterable<{ readonly name: string; readonly from: string }> {
  for (const [, name] of text.matchAll(new RegExp(`${DECLARATION}(\\w+)`, 'gm'))) yield { name: name!, from: file }
  for (const [, names, source] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm)) {
    const from = path.join(path.dirname(file), source!)
    for (const name of names!.split(','))
      if (name.trim() !== '') yield { name: name.trim().replace(/^type /, ''), from }
  }
}

test('every symbol of the doors of the package has a doc comment', async t => {
  const texts = new Map<string, Promise<string>>()
  const textOf = (file: string): Promise<string> => {
    const text = texts.get(file) ?? readFile(path.join(root, file), 'utf8')
    texts.set(file, text)
    return text
  }
  const bare: string[] = []
  let symbols = 0
  for (const door of (await doors()).values()) {
    for (const { name, from } of exported(door, await textOf(door))) {
      const text = await textOf(from)
      const at = text.search(new RegExp(`${DECLARATION}${name}\\b`, 'm'))
      symbols++
      if (!text.slice(0, Math.max(at, 0)).trimEnd().endsWith('*/')) bare.push(`${from}: ${name}`)
    }
  }
  t.deepEqual(bare, [])
  t.true(symbols > 200)
})
