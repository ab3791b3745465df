/**
 * Throws on a stack of its own, where it is an uncaught exception: for errors of what a user plugged in (`onError`, a
 * log sink, a listener), which must not end the drain that called it.
 */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
