// `npm test`: compiles, then runs every suite and closes with one line `N passed, N failed`.
// Arguments go to ava: npm test -- 'dist/test/utp/*.test.js'
// A file that failed beside others runs once more, alone. What fails again has failed; what then passes is named as unsteady, above
// the closing line and with what it had printed: a defect to mend, and no reason to doubt the change at hand.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Suite } from './suite.mjs'

/** More failed files than this are no accident, and are not run again. */
const MAX_AGAIN = 5

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

const ava = path.join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
const native = path.join(root, 'native')
const suites = [new Suite(ava, root, path.join('dist', 'test'))]
if (process.argv.length === 2 && existsSync(path.join(native, 'ava.config.js'))) {
  suites.push(new Suite(ava, native, 'test'))
}
const total = { passed: 0, failed: 0, skipped: 0 }
const report = []
for (const suite of suites) {
  await suite.run(process.argv.slice(2))
  const files = suite.failedFiles()
  if (files.length > 0 && files.length <= MAX_AGAIN) {
    for (const file of files) await suite.runAgain(file)
  }
  for (const [key, count] of Object.entries(suite.counts())) total[key] += count
  report.push(...suite.report())
}
if (report.length > 0) console.log(['', '=== what failed', ...report].join('\n'))
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
