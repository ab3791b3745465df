// Compiles TypeScript into dist/ and makes the command runnable. `npm ci` runs it through `prepare`.
// `npm pack` and `npm publish` run it twice: before, and then the declarations have no member marked @internal; and after
// (`--packed`), which brings those members back, because the tests use them.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
/** The folders of a tsconfig.json, each of which compiles into its own dist/. */
const projects = [root, path.join(root, 'src', 'runtime')]
const isPacking = ['pack', 'publish'].includes(process.env.npm_command) && !process.argv.includes('--packed')
const require = createRequire(import.meta.url)

let compiler
try {
  compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
} catch {
  const packing = isPacking
    ? 'a package would be packed without its code; run `npm ci` first'
    : 'dist/ is left as it is'
  console.error(`spimpl build: typescript is not installed (npm ci --omit=dev?); ${packing}`)
  process.exit(isPacking ? 1 : 0)
}

if (process.argv.includes('--clean')) {
  for (const project of projects) rmSync(path.join(project, 'dist'), { recursive: true, force: true })
}
compile('-b', root)
for (const project of projects) removeStale(project)
if (isPacking) stripDeclarations()

const command = path.join(root, 'dist', 'cli', 'spimpl.js')
if (existsSync(command)) chmodSync(command, 0o755)

function compile(...args) {
  const { status } = spawnSync(process.execPath, [compiler, ...args], { stdio: ['inherit', 2, 2], cwd: root })
  if (status !== 0) process.exit(status ?? 1)
}

/** What was compiled from a file that no longer exists would still be imported, packed, and run as a test. */
function removeStale(project) {
  const dist = path.join(project, 'dist')
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(js|d\.ts|js\.map)$/.test(entry.name)) continue
    const compiled = path.join(entry.parentPath ?? entry.path, entry.name)
    const source = path.join(project, path.relative(dist, compiled).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts'))
    if (!existsSync(source) && !existsSync(source.replace(/\.ts$/, ''))) rmSync(compiled)
  }
}

function stripDeclarations() {
  // The root project compiles against the whole declarations of spimpl-runtime, so spimpl-runtime comes last.
  const emit = ['--emitDeclarationOnly', '--stripInternal', '--composite', 'false', '--incremental', 'false']
  for (const project of projects) compile('-p', project, ...emit)
  // Without its notes the next build writes every declaration again, also if this run never reaches its second half.
  for (const project of projects) rmSync(path.join(project, 'dist', '.tsbuildinfo'), { force: true })
}
