/**
 * A protocol core: a plain state machine without I/O (ARCHITECTURE.md, rule 1).
 *
 * Its driver passes every input with the present moment, carries out the outputs, and sends `{ type: 'timeout' }` when
 * `deadline()` has come. One timer is enough for a core, whatever it waits for.
 */
export interface Core<Input, Output> {
  /**
   * @param now milliseconds of a monotonic clock, with a fraction; never goes backwards
   * @param emit called before `handle` returns, never after, with the outputs in order and with the state consistent: a
   * receiver may call `handle` again at once. {@link Turn} does this.
   */
  handle(input: Input, now: number, emit: (output: Output) => void): void

  /** The moment (milliseconds, same clock) at which the core wants a `timeout` input; `Infinity` for none. */
  deadline(): number
}
