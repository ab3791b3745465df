/**
 * Resolves at the first SIGINT or SIGTERM, for a shutdown in order. A second one ends the process at once, as whoever
 * presses Ctrl-C twice expects.
 */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
        asked = true
        resolve(signal)
      })
    }
  })
}
