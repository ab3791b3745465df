// Compiles TypeScript into dist/ and makes the command runnable. `npm ci` runs it through `prepare`.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs'
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
const { status } = spawnSync(process.execPath, [compiler, '-b', root], { stdio: 'inherit', cwd: root })
if (status !== 0) process.exit(status ?? 1)

// What was compiled from a file that is gone would still be found, and run as a test.
const dist = path.join(root, 'dist')
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|d\.ts|js\.map)$/.test(entry.name)) continue
  const compiled = path.join(entry.parentPath ?? entry.path, entry.name)
  const source = path.join(root, path.relative(dist, compiled).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts'))
  if (!existsSync(source) && !existsSync(source.replace(/\.ts$/, ''))) rmSync(compiled)
}

const command = path.join(root, 'dist', 'cli', 'spimpl.js')
if (existsSync(command)) chmodSync(command, 0o755)
