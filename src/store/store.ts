/**
 * The content store port, its implementations, and the data directory: the door of this floor.
 *
 *     content-store   the port
 *     policy, radius  which items are kept: the core
 *     memory-store    in memory, the embedded default
 *     lmdb-store      on disk; database-file checks the file first
 *     data-directory  the directory of a node and its lock
 */
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
export { distanceBetween, MAX_RADIUS, type RadiusSetting } from './radius.ts'

/**
 * The store of one sub-network: on disk in `directory`, or in memory if there is none. The directory must be locked by
 * this process (`DataDirectory.open`).
 *
 * @example
 * const directory = data.path
 * const radius = { type: 'auto' }
 * const store = await openContentStore({ directory, name: 'history', nodeId, capacityBytes: 1e9, radius })
 */
export async function openContentStore(
  options: ContentStoreOptions & { readonly directory: string | undefined; readonly name: string },
): Promise<ContentStore> {
  if (options.directory === undefined) return new MemoryStore(options)
  return LmdbStore.open(path.join(options.directory, `${options.name}.mdb`), options)
}
