/** Tasks of the tests of the compute pool: they run on its threads. */
import { moved } from 'spimpl-runtime/compute-pool'

export const square = (n: number): number => n * n

/** What it returns cannot leave its thread. */
export const secretive = (): (() => void) => () => {}

export const fail = (message: string): never => {
  throw new RangeError(message)
}

export const spin = (): never => {
  for (;;) Math.sqrt(2)
}

/** Waits until the cell is not 0: so a test holds a thread for as long as it wants. */
export const hold = (cell: Int32Array): string => Atomics.wait(cell, 0, 0)

export const reversed = (bytes: Uint8Array): Uint8Array => moved(bytes.reverse())

/** Ends at once, and leaves a timer that throws into whatever its thread does next. */
export const leaveTimer = (ms: number): string => {
  setTimeout(() => {
    throw new RangeError('the timer of a finished task')
  }, ms)
  return 'finished'
}

/** Runs for a while and lets timers of its thread fire. */
export const linger = (ms: number): Promise<string> => new Promise(resolve => setTimeout(resolve, ms, 'lingered'))

export const exit = (): never => process.exit(3)

/** Adds a number to the list behind a shared cell: the order in which tasks ran. */
export const note = ({ cells, value }: { readonly cells: Int32Array; readonly value: number }): void => {
  cells[1 + Atomics.add(cells, 0, 1)] = value
}
