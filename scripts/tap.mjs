import { parse } from 'yaml'

const POINT = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO))?$/
const COMMENT = /^# {3}(.*)$/
const DIAGNOSTICS_BEGIN = /^ {2}---$/
const DIAGNOSTICS_END = /^ {2}\.\.\.$/

/**
 * Reads test points of TAP (version 13, testanything.org) line by line. A point is given to `receive` once it is known whether diagnostics
 * follow it, so the last one is given by `end`.
 *
 *     title        behind the dash
 *     state        passed, failed, skipped, or todo
 *     comments     what the test logged
 *     diagnostics  lines of the YAML block below, as they came
 *     message      its member of that name, '' without one
 */
export class TapReader {
  #receive
  #point
  #isInside = false

  constructor(receive) {
    this.#receive = receive
  }

  line(text) {
    if (this.#isInside) {
      if (DIAGNOSTICS_END.test(text)) this.#isInside = false
      else this.#point.diagnostics.push(text)
      return
    }
    if (this.#point !== undefined && DIAGNOSTICS_BEGIN.test(text)) {
      this.#isInside = true
      return
    }
    const [, comment] = text.match(COMMENT) ?? []
    if (comment !== undefined) this.#point?.comments.push(comment)
    const [, isFailed, title, directive] = text.match(POINT) ?? []
    if (title === undefined) return
    this.end()
    const state = directive === 'SKIP' ? 'skipped' : directive === 'TODO' ? 'todo' : isFailed ? 'failed' : 'passed'
    this.#point = { title, state, comments: [], diagnostics: [] }
  }

  end() {
    const point = this.#point
    this.#point = undefined
    this.#isInside = false
    if (point !== undefined) this.#receive({ ...point, message: messageOf(point.diagnostics) })
  }
}

function messageOf(diagnostics) {
  if (diagnostics.length === 0) return ''
  try {
    const { message } = parse(diagnostics.join('\n'))
    return typeof message === 'string' ? message.trim() : ''
  } catch {
    return ''
  }
}
