/** Programs of the pages and of examples/, on several runtimes and out of bundles. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { toJavaScript } from './compilers.mjs'
import { missingLines, programs } from './page.mjs'
import { fails, holds, skipped } from './table.mjs'
import { complaint, emptyFolder, executable, root, run, tool } from './workshop.mjs'

export const NODE_MAJORS = [20, 22, 24, 26]
/** Node takes TypeScript as it is from here on. */
const STRIPS_TYPES = 22
const PROGRAM_MS = 60_000

/** The programs of a page, written into the folder of an installation as `NAME-1.ts` and so on. */
export function writePrograms(page, name, folder) {
  return programs(page).map((program, index) => {
    const file = `${name}-${index + 1}.ts`
    writeFileSync(path.join(folder, file), program.code)
    return { ...program, file }
  })
}

/** @param written of writePrograms; one row for each on each version of Node, and one for the doors */
export async function checkNodes(folder, written, doors) {
  writeFileSync(path.join(folder, 'doors.mjs'), doorsScript(doors))
  await toJavaScript(
    folder,
    written.map(({ file }) => file),
  )
  const rows = []
  for (const major of NODE_MAJORS) {
    const node = await executable('node', major)
    if (node.path === undefined) {
      rows.push(skipped(`Node ${major}`, node.missing))
      continue
    }
    rows.push(
      outcome(
        `Node ${major}: ${doors.length} doors open, no other does`,
        await runIn(folder, node.path, ['doors.mjs']),
      ),
    )
    for (const program of written) {
      const takesTypes = major >= STRIPS_TYPES
      const check = `Node ${major}: ${program.title}${takesTypes ? '' : ' (compiled)'}`
      const file = takesTypes ? program.file : program.file.replace(/\.ts$/, '.js')
      rows.push(outcome(check, await runIn(folder, node.path, [file]), program.printed))
    }
  }
  return rows
}

/** Opens every door, and tries what only the project itself may reach. */
function doorsScript(doors) {
  const closed = [
    'spimpl/dist/src/doors/runtime.js',
    'spimpl-runtime/internal/queues/ring.js',
    'spimpl-runtime/dist/runtime.js',
  ]
  return `for (const door of ${JSON.stringify(doors)}) {
  if (Object.keys(await import(door)).length === 0) throw new Error(\`expected \${door} to export something\`)
}
for (const inside of ${JSON.stringify(closed)}) {
  const { code } = await import(inside).catch(error => error)
  if (code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw new Error(\`expected \${inside} to be closed, got \${code}\`)
}
`
}

/** The examples that need the runtime alone, and what each prints on the Node that runs this check. */
const EXAMPLES = [
  ...['counter', 'supervised-workers', 'chat-server', 'confined-library', 'thumbnailer'],
  ...['guide/1-first-actor', 'guide/2-time-and-waiting', 'guide/3-full-mailboxes', 'guide/4-failure', 'guide/5-tree'],
]

const RUNTIMES = [
  { kind: 'bun', major: 1, name: 'Bun', args: ['run'] },
  { kind: 'deno', major: 2, name: 'Deno', args: ['run', '--allow-all', '--node-modules-dir=manual'] },
]

/** One row for each runtime: it prints for each example what Node prints, or the row names the example and its error. */
export async function checkRuntimes(folder) {
  cpSync(path.join(root, 'examples'), path.join(folder, 'examples'), { recursive: true })
  await toJavaScript(
    folder,
    EXAMPLES.map(name => `examples/${name}.ts`),
  )
  const expected = new Map()
  for (const name of EXAMPLES) expected.set(name, await runIn(folder, process.execPath, [`examples/${name}.js`]))
  const rows = []
  for (const { kind, major, name, args } of RUNTIMES) {
    const { path: runtime, missing } = await executable(kind, major)
    const check = `${name} ${major}: ${EXAMPLES.length} examples of the runtime`
    if (runtime === undefined) rows.push(skipped(check, missing))
    else {
      const faults = []
      for (const example of EXAMPLES) {
        const ran = await runIn(folder, runtime, [...args, `examples/${example}.ts`])
        const fault = difference(ran, expected.get(example))
        if (fault !== undefined) faults.push(`${example}: ${fault}`)
      }
      rows.push(faults.length === 0 ? holds(check) : fails(check, faults.join('; ')))
    }
  }
  return rows
}

function difference(ran, expected) {
  if (expected.code !== 0) return `on Node it ${complaint(expected)}`
  if (ran.code !== 0) return complaint(ran)
  // Time passes differently, so the lines are compared and not how many of one kind come.
  const printed = new Set(ran.stdout.split('\n'))
  const missing = expected.stdout.split('\n').find(line => !printed.has(line))
  return missing === undefined ? undefined : `expected the line ${JSON.stringify(missing)}`
}

/** The first program of a page as one file, which runs where nothing is installed. */
export async function checkBundles(folder, program) {
  const rows = []
  await toJavaScript(folder, [program.file])
  const bundlers = {
    esbuild: to =>
      tool('esbuild', [program.file, '--bundle', '--platform=node', '--format=esm', `--outfile=${to}`], {
        cwd: folder,
      }),
    rollup: to =>
      tool('rollup', [program.file.replace(/\.ts$/, '.js'), '--config', rollupConfig, '--format', 'es', '--file', to], {
        cwd: folder,
      }),
  }
  for (const [name, bundle] of Object.entries(bundlers)) {
    const check = `${name}: a bundle of "${program.title}" runs`
    const empty = emptyFolder('bundle')
    const made = await bundle(path.join(empty, 'bundle.mjs'))
    if (made.code !== 0) rows.push(fails(check, complaint(made)))
    else {
      const bytes = readFileSync(path.join(empty, 'bundle.mjs')).length
      rows.push(
        outcome(
          check,
          await runIn(empty, process.execPath, ['bundle.mjs']),
          program.printed,
          `${(bytes / 1000).toFixed(0)} kB`,
        ),
      )
    }
  }
  return rows
}

const rollupConfig = path.join(root, 'scripts', 'tools', 'rollup.config.mjs')

const runIn = (cwd, command, args) => run(command, args, { cwd, timeoutMs: PROGRAM_MS })

function outcome(check, ran, printed = [], note = '') {
  if (ran.code !== 0) return fails(check, complaint(ran))
  const missing = missingLines(printed, ran.stdout)
  if (missing.length === 0) return holds(check, note)
  return fails(
    check,
    `expected the line ${JSON.stringify(missing[0])}, got ${JSON.stringify(ran.stdout.slice(0, 200))}`,
  )
}
