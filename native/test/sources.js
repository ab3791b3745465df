/** A source with its handler, active. */
export function started(source, onEvent) {
  source.setEventHandler(() => onEvent(source.data))
  source.activate()
  return source
}

/** Settles when the source will never fire again. */
export function cancelled(source) {
  return new Promise(resolve => {
    source.setCancelHandler(resolve)
    source.cancel()
  })
}
