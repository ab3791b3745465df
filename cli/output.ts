/** The exit code that a shell reports for a program ended by SIGPIPE. */
const EXIT_BROKEN_PIPE = 141
const EXIT_FAILED = 1

/**
 * Watches standard output for write errors. Node.js by itself ends a process that cannot write, or loses the error if
 * the process ends first: a closed pipe would take a network down, and a new key would vanish on a full disk with exit
 * code 0.
 */
export class PrintedOutput {
  #fault: NodeJS.ErrnoException | undefined

  constructor() {
    process.stdout.on('error', error => {
      this.#fault ??= error
    })
    // There is nowhere left to report it.
    process.stderr.on('error', () => {})
  }

  /**
   * Waits until everything is written. Returns the exit code: `code`, unless it is 0 and output was lost. A reader that
   * closed the pipe (`| head`) shows in the exit code alone.
   */
  async settle(code: number): Promise<number> {
    await new Promise<void>(resolve => process.stdout.write('', () => resolve()))
    if (this.#fault === undefined) return code
    if (this.#fault.code === 'EPIPE') return code === 0 ? EXIT_BROKEN_PIPE : code
    console.error(`spimpl: could not write to standard output: ${this.#fault.message}`)
    return code === 0 ? EXIT_FAILED : code
  }
}
