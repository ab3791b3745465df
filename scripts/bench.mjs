// `npm run bench -- NAME [--json]`: compiles, installs the peers of bench/package.json once, runs one twin.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bench = path.join(root, 'bench')
const quiet = ['ignore', process.stderr, 'inherit']
const run = (command, args, cwd = root) => {
  const { status } = spawnSync(command, args, { cwd, stdio: quiet })
  if (status !== 0) process.exit(status ?? 1)
}

run(process.execPath, [path.join(root, 'scripts', 'build.mjs')])
if (!existsSync(path.join(bench, 'node_modules')) && !process.env.SPIMPL_BENCH_NO_PEERS) {
  console.error('spimpl bench: installing the peers it is measured against (bench/package.json)')
  run('npm', ['ci'], bench)
}
const { status } = spawnSync(
  process.execPath,
  ['--expose-gc', path.join(root, 'dist', 'bench', 'bench.js'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
  },
)
process.exitCode = status ?? 1
