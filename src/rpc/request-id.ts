/** The id of a call as JSON text: what an answer repeats. */
export type RequestId = string

export const NO_ID: RequestId = 'null'

/**
 * The ids of a message as its client wrote them. JSON.parse rounds a number above 2^53 to another one, under which no answer would
 * find its call.
 */
export class RequestIds {
  readonly #json: string
  #numbers: readonly (string | undefined)[] | undefined

  /** @param json valid JSON: one call, or an array of calls */
  constructor(json: string) {
    this.#json = json
  }

  /** The id of the call at `index` (0 where there is but one), whose member `id` reads as `value`; undefined where it may be none. */
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

/** The text of each call's member `id`, where that is a number; of several the last, as JSON.parse takes it. */
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
        // Without the colon it was a value.
        if (found !== null) numbers[index] = found[1]
      }
    }
  }
  return numbers
}

/** Where the quote stands that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let escapes = end
    while (json[escapes - 1] === '\\') escapes--
    if ((end - escapes) % 2 === 0) return end
  }
  return json.length
}
