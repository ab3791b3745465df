// Lets `npm test` run alone on a fresh clone: installs the locked dependencies when they are not there.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
if (!existsSync(path.join(root, 'node_modules', '.package-lock.json'))) {
  console.error('spimpl: dependencies are not installed, running npm ci')
  const { status } = spawnSync('npm', ['ci'], { stdio: ['ignore', process.stderr, 'inherit'], cwd: root })
  process.exit(status ?? 1)
}
