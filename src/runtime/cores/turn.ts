import { invariant } from './invariant.ts'

/**
 * One call of `handle`: its moment, and the outputs that it collects. A core has one, and every part of it is given it.
 *
 * Outputs leave in `end`, when all state of the core is consistent. So the receiver of an output may call `handle` again at once; the
 * outputs of that inner call leave before the rest of the outer one.
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
  #outputs: Output[] = []
  /** The emptied list of an earlier turn, so that a turn allocates none. */
  #spare: Output[] | undefined = []

  /** The moment of this call, in milliseconds of the core's clock. */
  get now(): number {
    return this.#now
  }

  begin(now: number): void {
    invariant(now >= this.#now, 'a clock that never goes backwards')
    this.#now = now
  }

  emit(output: Output): void {
    this.#outputs.push(output)
  }

  /** Hands out what was emitted since `begin`, in order. */
  end(emit: (output: Output) => void): void {
    const outputs = this.#outputs
    if (outputs.length === 0) return
    this.#outputs = this.#spare ?? []
    this.#spare = undefined
    for (const output of outputs) emit(output)
    outputs.length = 0
    this.#spare = outputs
  }
}
