import type { ContentStoreOptions } from '../../../src/store/content-store.ts'

export const crashOptions: ContentStoreOptions = {
  nodeId: new Uint8Array(32).fill(0x33),
  capacityBytes: 1e9,
  radius: { type: 'auto' },
}

/** Item `n`, which depends on its number only: another process can compute it too. */
export function crashItem(n: number): { contentId: Uint8Array; key: Uint8Array; value: Uint8Array } {
  const contentId = new Uint8Array(32)
  // Spread over the tree, as content ids are.
  new DataView(contentId.buffer).setUint32(0, Math.imul(n, 0x9e3779b1) >>> 0)
  new DataView(contentId.buffer).setUint32(28, n)
  const key = contentId.slice(28)
  const value = new Uint8Array(1000 + (n % 7) * 9000)
  value.fill(n & 0xff)
  return { contentId, key, value }
}
