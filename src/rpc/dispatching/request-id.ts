/** The id of a call as JSON text, which the answer repeats. */
export type RequestId = string

export const NO_ID: RequestId = 'null'

/**
 * The ids of a message as the client wrote them. JSON.parse rounds numbers above 2^53, and a client would not find its
 * call by the rounded id.
 */
export class RequestIds {
  readonly #json: string
  #numbers: readonly (string | undefined)[] | undefined

  /** @param json valid JSON: one call, or an array of calls */
  constructor(json: string) {
    this.#json = json
  }

  /**
   * The id of the call at `index` (0 for a single call), whose member `id` was parsed as `value`; undefined if no id
   * may have that value.
   */
  of(value: unknown, index: number): RequestId | undefined {
    if (value === undefined || value === null) return NO_ID
    if (typeof value === 'string') return JSON.stringify(value)
    if (typeof value !== 'number') return undefined
    if (Number.isSafeInteger(value)) return String(value)
    this.#numbers ??= numbersOfIds(this.#json)
    return this.#numbers[index] ?? JSON.stringify(value)
  }
}

/** `"id"` with both letters escaped. */
const LONGEST_KEY = 14
const NUMBER_OF_KEY = /\s*:\s*(-?[0-9][0-9.eE+-]*)?/y

/** The text of each call's member `id` if it is a number; the last one of several, as JSON.parse does. */
function numbersOfIds(json: string): (string | undefined)[] {
  const numbers: (string | undefined)[] = []
  const depthOfCalls = json.trimStart().startsWith('[') ? 2 : 1
  let depth = 0
  let index = 0
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
      case '[':
        depth++
        break
      case '}':
      case ']':
        depth--
        break
      case ',':
        if (depth === depthOfCalls - 1) index++
        break
      case '"': {
        const start = at
        at = endOfString(json, start)
        const text = json.slice(start, Math.min(at + 1, start + LONGEST_KEY + 1))
        if (depth !== depthOfCalls || text.length > LONGEST_KEY || JSON.parse(text) !== 'id') break
        NUMBER_OF_KEY.lastIndex = at + 1
        const found = NUMBER_OF_KEY.exec(json)
        // Without a colon it was a value, not a key.
        if (found !== null) numbers[index] = found[1]
      }
    }
  }
  return numbers
}

/** The index of the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let escapes = end
    while (json[escapes - 1] === '\\') escapes--
    if ((end - escapes) % 2 === 0) return end
  }
  return json.length
}
