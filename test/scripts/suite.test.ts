import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

/** What the test uses of scripts/suite.mjs. */
interface Suite {
  run(args: readonly string[]): Promise<void>
  failedFiles(): readonly string[]
  runAgain(file: string): Promise<void>
  counts(): { readonly passed: number; readonly failed: number; readonly skipped: number }
  report(): readonly string[]
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const ava = path.join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
const module: { Suite: new (ava: string, cwd: string, tests: string) => Suite } = await import(
  path.join(root, 'scripts', 'suite.mjs')
)

/** A project with these test files, whose suite has run, and each failed file once more. */
async function ran(files: Record<string, string>): Promise<Suite> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'spimpl-suite-'))
  mkdirSync(path.join(cwd, 'test', 'folder'), { recursive: true })
  symlinkSync(path.join(root, 'node_modules'), path.join(cwd, 'node_modules'))
  // Without a word for ten seconds ava gives up, unless told: a busy machine may take those to start it.
  const settings = { files: ['test/**/*.test.js'], workerThreads: false, cache: false, timeout: '5m' }
  writeFileSync(path.join(cwd, 'package.json'), JSON.stringify({ type: 'module', ava: settings }))
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(
      path.join(cwd, 'test', `${name}.test.js`),
      `import test from 'ava'\nimport fs from 'node:fs'\n${text}`,
    )
  }
  const suite = new module.Suite(ava, cwd, 'test')
  const log = console.log
  const write = process.stdout.write
  // What the inner ava prints is no line of this run.
  console.log = () => {}
  process.stdout.write = () => true
  try {
    await suite.run([])
    for (const file of suite.failedFiles()) await suite.runAgain(file)
  } finally {
    console.log = log
    process.stdout.write = write
    rmSync(cwd, { recursive: true })
  }
  return suite
}

const PASSES = `test('passes', t => t.pass())\n`
const ONCE = `test('fails at first', t => {
  const known = fs.existsSync('known')
  fs.writeFileSync('known', '')
  t.true(known, 'seen for the first time')
})\n`

test.serial('what fails twice has failed, what passes alone is unsteady and counts as passed', async t => {
  const fails = `${PASSES}test('fails', t => t.is(1, 2, 'one is not two'))\n`
  const suite = await ran({ steady: PASSES, 'folder/unsteady': PASSES + ONCE, 'folder/fails': fails })
  t.deepEqual(suite.counts(), { passed: 4, failed: 1, skipped: 0 })
  const report = suite.report()
  t.deepEqual(
    report.filter(line => line.startsWith('failed: ')),
    ['failed: folder › fails › fails one is not two'],
  )
  t.deepEqual(
    report.filter(line => line.startsWith('unsteady: ')),
    ['unsteady: folder › unsteady › fails at first seen for the first time'],
  )
  t.true(report.some(line => line.includes('seen for the first time')))
})

test.serial('a file that ends the process has failed, and passes if it does not end it again', async t => {
  const ends = `${PASSES}test('ends', t => { t.pass(); process.exit(3) })\n`
  const endsOnce = `${PASSES}test('ends once', t => {
    t.pass()
    if (!fs.existsSync('known')) { fs.writeFileSync('known', ''); process.exit(3) }
  })\n`
  t.is((await ran({ steady: PASSES, ends })).counts().failed, 1)
  const suite = await ran({ steady: PASSES, endsOnce })
  t.deepEqual(suite.counts(), { passed: 3, failed: 0, skipped: 0 })
  t.deepEqual(suite.report().slice(-1), [`unsteady: ${path.join('test', 'endsOnce.test.js')}`])
})

test.serial('what is thrown outside of every test fails its file, and is no test', async t => {
  const throws = `${PASSES}test('waits', async t => {
    if (!fs.existsSync('known')) {
      fs.writeFileSync('known', '')
      setImmediate(() => { throw new Error('outside') })
      await new Promise(() => {})
    }
    t.pass()
  })\n`
  const suite = await ran({ steady: PASSES, throws })
  t.is(suite.counts().failed, 0)
  const report = suite.report()
  t.deepEqual(report.slice(-1), [`unsteady: ${path.join('test', 'throws.test.js')}`])
  t.true(report.some(line => line.includes('outside')))
})

test.serial('a suite without a test has failed; skipped tests are counted apart', async t => {
  t.deepEqual((await ran({})).counts(), { passed: 0, failed: 1, skipped: 0 })
  const skips = `${PASSES}test.skip('skipped', t => t.fail())\n`
  t.deepEqual((await ran({ steady: PASSES, skips })).counts(), { passed: 2, failed: 0, skipped: 1 })
})
