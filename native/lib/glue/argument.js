// What users pass, looked at before it crosses to native code or waits on a queue: a wrong argument is told to the caller,
// and not to whoever runs it later.
import { AddonError } from './addon-error.js'

function told(value) {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value
}

export function expectFunction(what, value, code = 'ARGUMENT_INVALID') {
  if (typeof value !== 'function') throw new AddonError(code, `expected a function as ${what}, got ${told(value)}`)
}

/** Handlers are functions or absent. */
export function expectHandlers(handlers, names, code) {
  for (const name of names) if (handlers[name] !== undefined) expectFunction(name, handlers[name], code)
}

/** A number that is not NaN; finite and at least 0, unless the bounds are others. */
export function expectNumber(what, value, { least = 0, most = Number.MAX_VALUE, code = 'ARGUMENT_INVALID' }) {
  if (typeof value === 'number' && value >= least && value <= most) return
  throw new AddonError(code, `expected ${what} from ${least} to ${most}, got ${told(value)}`)
}

export function expectInteger(what, value, least, most, code = 'ARGUMENT_INVALID') {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new AddonError(code, `expected ${what} to be an integer from ${least} to ${most}, got ${told(value)}`)
}

export function expectString(what, value, code = 'ARGUMENT_INVALID') {
  if (typeof value !== 'string' || value === '') throw new AddonError(code, `expected ${what}, got ${told(value)}`)
}

/**
 * Bytes by their elements and not by their class, so that those of another realm (`vm`, test runners) count. Strings and
 * arrays have a length, too, but would be read as zeros.
 */
export function expectBytes(what, value) {
  if (value?.BYTES_PER_ELEMENT !== 1) throw new TypeError(`expected ${what} to be a Uint8Array, got ${told(value)}`)
}
