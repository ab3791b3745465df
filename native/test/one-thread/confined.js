// What a user writes to confine a library: functions that use it, in a module of their own.
import koffi from 'koffi'

let add

export function start(library) {
  add = koffi.load(library).func('long one_thread_add(long by)')
}

export function sum(by) {
  return Number(add(by))
}

export async function slowly(by) {
  const before = sum(0)
  await new Promise(resolve => setTimeout(resolve, 2))
  return { before, after: sum(by) }
}

/** A call that whoever stops the thread finds unfinished. */
export function endlessly() {
  return new Promise(() => {})
}

export function fails() {
  throw Object.assign(new RangeError('told to fail'), { code: 'TOLD' })
}
