// `npm test`: compiles, then runs every suite and closes with one line `N passed, N failed`.
// Arguments go to ava: npm test -- 'dist/test/utp/*.test.js'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const node = process.execPath

if (spawnSync(node, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' }).status !== 0) {
  console.log('0 passed, 1 failed')
  process.exit(1)
}

// The addon's tests need the addon. A machine without a compiler skips them and says so.
spawnSync(node, ['native/scripts/build.mjs', '--if-possible'], { cwd: root, stdio: 'inherit' })
// The dispatch tests need a libdispatch: it is made from the distribution's own package where the system has none.
if (process.env.SPIMPL_LIBDISPATCH !== 'none') {
  spawnSync(node, ['native/scripts/setup-libdispatch.mjs', '--if-possible', '--quiet'], { cwd: root, stdio: 'inherit' })
}

/** Runs ava, shows what it prints, and reads its closing counts. */
function ava(cwd, args) {
  return new Promise(resolve => {
    const cli = path.join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
    const child = spawn(node, [cli, ...args], {
      cwd,
      env: { ...process.env, FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let line = ''
    let passed = 0
    let failed = 0
    let skipped = 0
    child.stdout.on('data', chunk => {
      process.stdout.write(chunk)
      const lines = (line + chunk).split('\n')
      line = lines.pop()
      // ava closes with the passed or the failed ones, not with both, so each test's own line is counted.
      for (const text of lines) {
        if (/^ +✔ /.test(text)) passed += 1
        else if (/^ +✘ \[fail\]/.test(text)) failed += 1
        else if (/^ +- \[skip\]/.test(text)) skipped += 1
      }
    })
    child.on('close', code => {
      if (code !== 0 && failed === 0) failed = 1 // an uncaught exception, a time-out or no test found
      resolve({ passed, failed, skipped })
    })
  })
}

const total = { passed: 0, failed: 0, skipped: 0 }
const suites = [[root, process.argv.slice(2)]]
const native = path.join(root, 'native')
if (process.argv.length === 2 && existsSync(path.join(native, 'ava.config.js'))) suites.push([native, []])
for (const [cwd, args] of suites) {
  const counts = await ava(cwd, args)
  for (const key of Object.keys(total)) total[key] += counts[key]
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
