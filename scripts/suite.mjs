// One suite of ava: runs it, shows its tests, and keeps what became of each. ava reports as TAP.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { TapReader } from './tap.mjs'

/** Lines of ava's account of what failed that are kept for the report. */
const MAX_DETAILS = 120
const SIGNS = { passed: '✔ ', failed: '✘ [fail]: ', skipped: '- [skip]: ', todo: '- [todo]: ' }
/** A test that was running when its file ended: nothing is known of it but that. */
const PENDING = /^(Exiting due to process\.exit\(\)|Exited because no new tests completed)/
const NAMED_FILE = /([\w./-]+\.test\.js)/
const reporter = fileURLToPath(new URL('ava-tap.mjs', import.meta.url))

export class Suite {
  /** title, in which ava names the file as `folder › file › test`: its state, and the message of a failure */
  #tests = new Map()
  /** file: it failed, in a test of its own or by how it ended, and has not passed since */
  #files = new Set()
  #details = []
  #unsteady = []
  /** 0 where every file passed, at first or alone. */
  #status = 0

  /** `tests`: the folder of the compiled test files, from `cwd` on, which is where ava runs. */
  constructor(ava, cwd, tests) {
    this.ava = ava
    this.cwd = cwd
    this.tests = tests
  }

  async run(args) {
    const { code, points } = await this.#ava(args)
    // ava leaves the file out of a title where there is only one file. What has no file beside points that have one is no test:
    // a file that was not loaded, or what was thrown outside of every test.
    const namesFiles = points.some(({ title }) => this.#fileOf(title) !== undefined)
    for (const point of points) {
      const ended = this.#endedFile(point)
      if (ended !== undefined) this.#files.add(ended)
      else if (namesFiles && this.#fileOf(point.title) === undefined) continue
      else this.#keep(point)
    }
    for (const title of this.#failed()) this.#files.add(this.#fileOf(title))
    this.#status = code
    if (code !== 0) this.#details = details(points)
  }

  /** The files to run again: none where ava did not say of each failure where it was. */
  failedFiles() {
    return this.#files.has(undefined) ? [] : [...this.#files]
  }

  /** What failed in the first run of this file is forgotten: the second run tells. */
  async runAgain(file) {
    console.log(`\n=== ${file} again, alone`)
    const before = this.#failed().filter(title => this.#fileOf(title) === file)
    const names = before.map(title => this.#named(title))
    for (const title of before) this.#tests.delete(title)
    const folders = path
      .relative(this.tests, file)
      .replace(/\.test\.js$/, '')
      .split(path.sep)
    const { code, points } = await this.#ava([file])
    for (const point of points) {
      if (this.#endedFile(point) === undefined) this.#keep({ ...point, title: [...folders, point.title].join(' › ') })
    }
    if (code !== 0) return
    this.#unsteady.push(...(names.length === 0 ? [file] : names).map(name => `unsteady: ${name}`))
    this.#files.delete(file)
    if (this.#files.size === 0) this.#status = 0
  }

  counts() {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const { state } of this.#tests.values()) counts[state] += 1
    // How a file or a run ended counts too, where no test of it tells: an exception, a time-out, no test found.
    if (this.#status !== 0) counts.failed = Math.max(counts.failed, 1)
    return counts
  }

  report() {
    return [...this.#details, ...this.#failed().map(title => `failed: ${this.#named(title)}`), ...this.#unsteady]
  }

  #keep({ title, state, message }) {
    if (state !== 'todo') this.#tests.set(title, { state, message })
  }

  #failed() {
    return [...this.#tests].filter(([, { state }]) => state === 'failed').map(([title]) => title)
  }

  #named(title) {
    return withMessage({ title, ...this.#tests.get(title) })
  }

  #fileOf(title) {
    const parts = title.split(' › ')
    for (let length = parts.length - 1; length > 0; length--) {
      const file = `${path.join(this.tests, ...parts.slice(0, length))}.test.js`
      if (existsSync(path.join(this.cwd, file))) return file
    }
    return undefined
  }

  /** The file whose end a point tells: by its own name, or as that of a test that was running. */
  #endedFile({ title, state, message }) {
    if (state !== 'failed') return undefined
    const [, file] = (PENDING.test(message) ? message : title).match(NAMED_FILE) ?? []
    if (file !== undefined && existsSync(path.join(this.cwd, file))) return file
    return PENDING.test(message) ? this.#fileOf(title) : undefined
  }

  #ava(args) {
    return new Promise(resolve => {
      const child = spawn(process.execPath, [reporter, this.ava, ...args], {
        cwd: this.cwd,
        env: { ...process.env, FORCE_COLOR: '0' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const points = []
      const reader = new TapReader(point => {
        points.push(point)
        console.log(`  ${SIGNS[point.state]}${withMessage(point)}`)
        for (const comment of point.comments) console.log(`    ℹ ${comment}`)
      })
      let rest = ''
      child.stdout.setEncoding('utf8')
      child.stdout.on('data', chunk => {
        const complete = (rest + chunk).split('\n')
        rest = complete.pop()
        for (const line of complete) reader.line(line)
      })
      child.on('close', code => {
        reader.line(rest)
        reader.end()
        resolve({ code, points })
      })
    })
  }
}

/** What was thrown outside of a test has its message in the title. */
const withMessage = ({ title, message }) => (title.endsWith(message) ? title : `${title} ${message}`)

/** What failed, with the diagnostics below it. */
const details = points =>
  points
    .filter(({ state }) => state === 'failed')
    .flatMap(({ title, diagnostics }) => ['', `  ${title}`, ...diagnostics])
    .slice(0, MAX_DETAILS)
