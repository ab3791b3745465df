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
