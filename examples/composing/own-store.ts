import { type NodeOptions, nodeComposition, type ServedStore, storage } from 'spimpl/node'

/** Keeps everything in memory, and evicts nothing. */
class MapStore implements ServedStore {
  readonly #items = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>()
  readonly capacityBytes = Number.MAX_SAFE_INTEGER
  readonly radius = 2n ** 256n - 1n
  get count() {
    return this.#items.size
  }
  get usedBytes() {
    return [...this.#items.values()].reduce((sum, { value }) => sum + value.length, 0)
  }
  has = (contentId: Uint8Array) => this.#items.has(String(contentId))
  get = (contentId: Uint8Array) => structuredClone(this.#items.get(String(contentId)))
  delete = async (contentId: Uint8Array) => this.#items.delete(String(contentId))
  put = async (contentId: Uint8Array, key: Uint8Array, value: Uint8Array) => {
    this.#items.set(String(contentId), { key, value })
    return { stored: true as const, evicted: [], radius: this.radius }
  }
  close = async () => {}
}

/** A node that keeps its content in a store of the reader's own. */
export const ownStore = (options: NodeOptions = {}, store: ServedStore = new MapStore()) =>
  nodeComposition(options)
    .without('rpc')
    .replace('storage', { behavior: () => storage({ open: async () => store }), ready: async () => store.radius })
