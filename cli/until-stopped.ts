/** The exit codes of processes that these signals end, as a shell says them. SIGHUP: the terminal was closed. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Resolves at the first signal to stop, for a shutdown in order. A second one ends the process at once, as whoever
 * presses Ctrl-C twice expects.
 */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let asked = false
    for (const [signal, code] of Object.entries(EXIT_CODES) as [keyof typeof EXIT_CODES, number][]) {
      process.on(signal, () => {
        if (asked) process.exit(code)
        asked = true
        resolve(signal)
      })
    }
  })
}
