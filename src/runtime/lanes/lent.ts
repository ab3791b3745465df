const lent = new WeakSet<ArrayBufferView>()

/**
 * Marks bytes that their sender keeps: another thread gets a copy of them, and an actor of this thread the bytes
 * themselves, into which neither writes. Bytes that are not marked change owner, and cannot be sent again once they are
 * on another thread.
 *
 * @example
 * const item = lend(new Uint8Array(65_536))
 * shelves.tell({ type: 'keep', item })
 * copies.tell({ type: 'keep', item }) // also if the shelves are on another thread
 */
export function lend<T extends ArrayBufferView>(bytes: T): T {
  lent.add(bytes)
  return bytes
}

/** @internal Whether the sender keeps these bytes. */
export const isLent = (bytes: ArrayBufferView): boolean => lent.has(bytes)
