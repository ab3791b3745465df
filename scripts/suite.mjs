// One suite of ava: runs it, shows what it prints, and keeps what became of each test.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

/** Lines of ava's account of what failed that are kept for the report. */
const MAX_DETAILS = 120
const STATES = [
  ['passed', /^ +✔ (.*)$/],
  ['failed', /^ +✘ \[fail\]: (.*)$/],
  ['skipped', /^ +- \[skip\]:? ?(.*)$/],
]

/** How a file ended, where no test of it tells. */
const ENDED =
  /^ +(?:✘ |Uncaught exception in |Unhandled rejection in |\d+ tests? \w+ pending in ).*?([\w./-]+\.test\.js)/

export class Suite {
  /** title, in which ava names the file as `folder › file › test`: passed, failed or skipped */
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
    const { code, lines } = await this.#ava(args, '')
    const failed = this.#failed()
    for (const title of failed) this.#files.add(this.#fileOf(title.split(' › ')))
    for (const line of lines) {
      const [, file] = line.match(ENDED) ?? []
      if (file !== undefined && existsSync(path.join(this.cwd, file))) this.#files.add(file)
    }
    this.#status = code
    if (code !== 0) this.#details = details(lines)
  }

  /** The files to run again: none where ava did not say of each failure where it was. */
  failedFiles() {
    return this.#files.has(undefined) ? [] : [...this.#files]
  }

  /** What failed in the first run of this file is forgotten: the second run tells. */
  async runAgain(file) {
    console.log(`\n=== ${file} again, alone`)
    const before = this.#failed().filter(title => this.#fileOf(title.split(' › ')) === file)
    for (const title of before) this.#tests.delete(title)
    // ava leaves the file out of a title where there is only one file.
    const folders = path
      .relative(this.tests, file)
      .replace(/\.test\.js$/, '')
      .split(path.sep)
    const { code } = await this.#ava([file], `${folders.join(' › ')} › `)
    if (code !== 0) return
    this.#unsteady.push(...(before.length === 0 ? [file] : before).map(name => `unsteady: ${name}`))
    this.#files.delete(file)
    if (this.#files.size === 0) this.#status = 0
  }

  counts() {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const state of this.#tests.values()) counts[state] += 1
    // How a file or a run ended counts too, where no test of it tells: an exception, a time-out, no test found.
    if (this.#status !== 0) counts.failed = Math.max(counts.failed, 1)
    return counts
  }

  report() {
    return [...this.#details, ...this.#failed().map(title => `failed: ${title}`), ...this.#unsteady]
  }

  #failed() {
    return [...this.#tests].filter(([, state]) => state === 'failed').map(([title]) => title)
  }

  #fileOf(parts) {
    for (let length = parts.length - 1; length > 0; length--) {
      const file = `${path.join(this.tests, ...parts.slice(0, length))}.test.js`
      if (existsSync(path.join(this.cwd, file))) return file
    }
    return undefined
  }

  #ava(args, prefix) {
    return new Promise(resolve => {
      const child = spawn(process.execPath, [this.ava, ...args], {
        cwd: this.cwd,
        env: { ...process.env, FORCE_COLOR: '0' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const lines = []
      let rest = ''
      child.stdout.setEncoding('utf8')
      child.stdout.on('data', chunk => {
        process.stdout.write(chunk)
        const complete = (rest + chunk).split('\n')
        rest = complete.pop()
        for (const line of complete) {
          lines.push(line)
          // ava closes with the passed or the failed ones, not with both, so each test's own line is counted.
          for (const [state, pattern] of STATES) {
            const [, text] = line.match(pattern) ?? []
            if (text !== undefined) this.#tests.set(prefix + text.replace(/ \([\d.]+m?s\)$/, ''), state)
          }
        }
      })
      child.on('close', code => resolve({ code, lines }))
    })
  }
}

function details(lines) {
  const begin = lines.findIndex(line => /^ +(✘ |Uncaught exception|Unhandled rejection)/.test(line))
  const separator = lines.findIndex(line => /^ +─+$/.test(line))
  const told = lines
    .slice(0, separator < 0 ? undefined : separator)
    .filter((line, index) => index >= begin && !/^ +[✔-] /.test(line))
  return [...told, ...(separator < 0 ? [] : lines.slice(separator))].slice(0, MAX_DETAILS)
}
