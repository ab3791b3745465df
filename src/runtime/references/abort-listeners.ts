/** The callbacks that wait for each signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `aborted` once the signal is aborted. A signal has one listener, however many callbacks wait for it: Node warns
 * of a leak from the eleventh listener on, and the signal of a whole request is given to many questions and tasks.
 * @returns a function that removes the callback
 */
export function onAbort(signal: AbortSignal, aborted: () => void): () => void {
  const known = waiting.get(signal)
  const all = known ?? new Set()
  all.add(aborted)
  if (known === undefined) {
    waiting.set(signal, all)
    signal.addEventListener('abort', onEvent, { once: true })
  }
  return () => {
    if (!all.delete(aborted) || all.size > 0 || waiting.get(signal) !== all) return
    waiting.delete(signal)
    signal.removeEventListener('abort', onEvent)
  }
}

function onEvent(event: Event): void {
  const signal = event.target as AbortSignal
  const all = waiting.get(signal) ?? []
  waiting.delete(signal)
  for (const aborted of all) aborted()
}
