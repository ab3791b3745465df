// Compiles TypeScript into dist/ and makes the command runnable. `npm ci` runs it through `prepare`.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

let compiler
try {
  compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
} catch {
  console.error('spimpl build: typescript is not installed (npm ci --omit=dev?); dist/ is left as it is')
  process.exit(0)
}

if (process.argv.includes('--clean')) rmSync(path.join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit', cwd: root })
if (status !== 0) process.exit(status ?? 1)

const command = path.join(root, 'dist', 'cli', 'spimpl.js')
if (existsSync(command)) chmodSync(command, 0o755)
