/**
 * A protocol core: a plain state machine without I/O (ARCHITECTURE.md, rule 1).
 *
 * Whoever drives it passes every input with the present moment, carries out what it emits, and sends it
 * `{ type: 'timeout' }` when `deadline()` has come. So one timer is enough for a core, whatever it waits for.
 */
export interface Core<Input, Output> {
  /**
   * @param now milliseconds of a monotonic clock, with a fraction; never goes backwards
   * @param emit is called before `handle` returns, never after; outputs are in order
   */
  handle(input: Input, now: number, emit: (output: Output) => void): void

  /** The moment (milliseconds, same clock) at which the core wants a `timeout` input; `Infinity` for none. */
  deadline(): number
}
