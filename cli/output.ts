/** What a shell says of a program that SIGPIPE ended. */
const EXIT_BROKEN_PIPE = 141
const EXIT_FAILED = 1

/**
 * Watches what is printed. Node.js ends a process whose standard output or error cannot be written, or loses the fault where the process
 * ends first: a network would go down for a closed pipe, and a new key would vanish on a full disk with exit code 0.
 */
export class PrintedOutput {
  #fault: NodeJS.ErrnoException | undefined

  constructor() {
    process.stdout.on('error', error => {
      this.#fault ??= error
    })
    // There is no place left to say so.
    process.stderr.on('error', () => {})
  }

  /**
   * The exit code, once everything is written: `code`, unless that is 0 and a result was lost. A reader that has seen enough (`| head`) is
   * no failure to speak of, but neither is the result whole.
   */
  async settle(code: number): Promise<number> {
    await new Promise<void>(resolve => process.stdout.write('', () => resolve()))
    if (this.#fault === undefined) return code
    if (this.#fault.code === 'EPIPE') return code === 0 ? EXIT_BROKEN_PIPE : code
    console.error(`spimpl: could not write to standard output: ${this.#fault.message}`)
    return code === 0 ? EXIT_FAILED : code
  }
}
