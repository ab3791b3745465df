import { invariant } from './invariant.ts'

/** A list with more outputs than this is not kept for later turns, because of its memory. */
const KEPT_OUTPUTS = 256

/**
 * One call of `handle`: its moment, and the outputs that it collects. A core has one, and every part of it is given it.
 *
 * Outputs leave in `end`, when all state of the core is consistent. So the receiver of an output may call `handle`
 * again at once; the outputs of that inner call leave before the rest of the outer one.
 *
 * @example
 * class Doubler implements Core<number, number> {
 *   readonly #turn = new Turn<number>()
 *
 *   handle(input: number, now: number, emit: (output: number) => void): void {
 *     this.#turn.begin(now)
 *     this.#turn.emit(2 * input)
 *     this.#turn.end(emit)
 *   }
 *
 *   deadline(): number {
 *     return Number.POSITIVE_INFINITY
 *   }
 * }
 */
export class Turn<Output> {
  #now = Number.NEGATIVE_INFINITY
  #outputs: (Output | undefined)[] = []
  #count = 0
  /** The list of an earlier turn, so that a turn allocates none: truncating it would free its memory. */
  #spare: (Output | undefined)[] | undefined = []

  /** The moment of this call, in milliseconds of the core's clock. */
  get now(): number {
    return this.#now
  }

  begin(now: number): void {
    invariant(now >= this.#now, 'a clock that never goes backwards')
    this.#now = now
  }

  emit(output: Output): void {
    this.#outputs[this.#count] = output
    this.#count += 1
  }

  /** Hands out what was emitted since `begin`, in order. */
  end(emit: (output: Output) => void): void {
    const count = this.#count
    if (count === 0) return
    const outputs = this.#outputs
    this.#outputs = this.#spare ?? []
    this.#spare = undefined
    this.#count = 0
    for (let index = 0; index < count; index++) {
      const output = outputs[index] as Output
      outputs[index] = undefined
      emit(output)
    }
    this.#spare = count <= KEPT_OUTPUTS ? outputs : []
  }
}
