/** The exit codes that a shell reports for processes ended by these signals. SIGHUP: the terminal was closed. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** A signal that asks for a shutdown in order. */
export type StopSignal = keyof typeof EXIT_CODES

/** Resolves with the first signal to stop. A second one ends the process at once: somebody pressed Ctrl-C twice. */
export function untilStopped(): Promise<StopSignal> {
  return new Promise(resolve => {
    let asked = false
    for (const [signal, code] of Object.entries(EXIT_CODES) as [StopSignal, number][]) {
      process.on(signal, () => {
        if (asked) process.exit(code)
        asked = true
        resolve(signal)
      })
    }
  })
}
