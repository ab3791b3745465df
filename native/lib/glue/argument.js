// Checks arguments before they cross to native code or wait on a queue, so that the caller gets the error and not the
// code that runs the work later.
import { AddonError } from './addon-error.js'

function described(value) {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value
}

export function expectFunction(what, value, code = 'ARGUMENT_INVALID') {
  if (typeof value !== 'function') throw new AddonError(code, `expected a function as ${what}, got ${described(value)}`)
}

/** Handlers are functions or absent. */
export function expectHandlers(handlers, names, code) {
  for (const name of names) if (handlers[name] !== undefined) expectFunction(name, handlers[name], code)
}

/** Refuses NaN, and a number outside of the bounds. Default bounds: finite and at least 0. */
export function expectNumber(what, value, { least = 0, most = Number.MAX_VALUE, code = 'ARGUMENT_INVALID' }) {
  if (typeof value === 'number' && value >= least && value <= most) return
  throw new AddonError(code, `expected ${what} from ${least} to ${most}, got ${described(value)}`)
}

export function expectInteger(what, value, least, most, code = 'ARGUMENT_INVALID') {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new AddonError(code, `expected ${what} to be an integer from ${least} to ${most}, got ${described(value)}`)
}

export function expectString(what, value, code = 'ARGUMENT_INVALID') {
  if (typeof value !== 'string' || value === '') throw new AddonError(code, `expected ${what}, got ${described(value)}`)
}

/**
 * Recognizes bytes by their element size, not by their class, so that arrays of another realm (`vm`, test runners) are
 * accepted. Strings and plain arrays have a length too, but would be read as zeros.
 */
export function expectBytes(what, value) {
  if (value?.BYTES_PER_ELEMENT !== 1)
    throw new TypeError(`expected ${what} to be a Uint8Array, got ${described(value)}`)
}
