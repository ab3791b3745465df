/**
 * Throws on a stack of its own, as an uncaught exception: for errors of a user's callback (`onError`, a log sink, a
 * listener), which must not end the drain that called it.
 */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
