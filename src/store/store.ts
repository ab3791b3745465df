import path from 'node:path'
import type { ContentStore, ContentStoreOptions } from './content-store.ts'
import { LmdbStore } from './lmdb-store.ts'
import { MemoryStore } from './memory-store.ts'

export type {
  ContentStore,
  ContentStoreOptions,
  PutOutcome,
  RefusalReason,
  StoredContent,
  StoredEntry,
} from './content-store.ts'
export { DataDirectory } from './data-directory.ts'
export { LmdbStore } from './lmdb-store.ts'
export { MemoryStore } from './memory-store.ts'
export { MAX_RADIUS, type RadiusSetting } from './policy.ts'

/**
 * The store of one sub-network: in `directory` where there is one, else in memory.
 * The directory must be locked by this process (`DataDirectory.open`).
 *
 * @example
 * const store = await openContentStore({ directory: data.path, name: 'history', nodeId, capacityBytes: 1e9, radius: { type: 'auto' } })
 */
export async function openContentStore(
  options: ContentStoreOptions & { readonly directory: string | undefined; readonly name: string },
): Promise<ContentStore> {
  if (options.directory === undefined) return new MemoryStore(options)
  return LmdbStore.open(path.join(options.directory, `${options.name}.mdb`), options)
}
