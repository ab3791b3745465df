import path from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { SpimplError } from '../errors.ts'
import type { ContentStore, ContentStoreOptions, PutOutcome, StoredContent, StoredEntry } from './content-store.ts'
import { checkDatabaseFile, commitFault, openFault, reasonOf } from './database-file.ts'
import { MAX_BYTES_PER_COMMIT, MAX_WAITING_BYTES, MAX_WAITING_WRITES, MAX_WRITES_PER_COMMIT } from './limits.ts'
import { itemCost, outcomeOf, type Placed, type PolicyState, StoragePolicy } from './policy.ts'
import { distanceBetween, type RadiusSetting } from './radius.ts'

/** The layout of the file. A file of another version is refused. */
const SCHEMA = 1

/** The content of the `state` entry. It is committed in the same transaction as the items that it counts. */
interface Header {
  readonly schema: number
  readonly nodeId: string
  readonly usedBytes: number
  readonly count: number
  readonly radius: string
  readonly capacityBytes: number
  readonly setting: RadiusSetting['type']
}

/** A put, or a delete if `value` is undefined. */
interface Write {
  readonly contentId: Uint8Array
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
  resolve(outcome: PutOutcome | boolean): void
  reject(error: SpimplError): void
}

/** Findings of `open`, for the operator. */
export interface OpenReport {
  /** The size account was recomputed: it contradicted the number of items, or the file was truncated. */
  readonly recounted: boolean
  /** Items that were evicted because the capacity is smaller than the stored bytes. */
  readonly evicted: number
}

/**
 * The content store on LMDB: one file with two trees. `index` maps a distance to the length of the value and the
 * content key, `values` maps it to the value. So the policy finds the furthest items without reading a page of content.
 *
 * Durable: a commit is flushed before its writes are acknowledged (`overlappingSync` off). With LMDB's two meta pages,
 * a crash of the process or machine in the middle of a commit leaves the previous one.
 */
export class LmdbStore implements ContentStore {
  readonly report: OpenReport
  readonly #file: string
  readonly #nodeId: Uint8Array
  readonly #policy: StoragePolicy
  readonly #root: RootDatabase<Uint8Array, Uint8Array>
  readonly #index: Database<Uint8Array, Uint8Array>
  readonly #values: Database<Uint8Array, Uint8Array>
  #state: PolicyState
  #waiting: Write[] = []
  #waitingBytes = 0
  #pump: Promise<void> | undefined
  #closed = false

  /** Opens or creates `FILE.mdb` in a directory that exists. Throws STORE_FAILED or STORE_MISMATCH. */
  static async open(file: string, options: ContentStoreOptions): Promise<LmdbStore> {
    const isTruncated = await checkDatabaseFile(file)
    let root: RootDatabase<Uint8Array, Uint8Array>
    try {
      root = open<Uint8Array, Uint8Array>({
        path: file,
        noSubdir: true,
        encoding: 'binary',
        keyEncoding: 'binary',
        maxDbs: 4,
        overlappingSync: false,
        // All writes are in our own transactions. lmdb would open another batch around each turn of the event loop, and
        // a failed commit would reject a promise of that batch that nobody can handle.
        eventTurnBatching: false,
        compression: false,
      })
    } catch (cause) {
      throw new SpimplError('STORE_FAILED', `expected a content database at ${file}, got: ${reasonOf(cause)}`, {
        cause,
      })
    }
    try {
      const store = new LmdbStore(file, root, options, isTruncated)
      await store.#writeHeader()
      return store
    } catch (error) {
      const fault = error instanceof SpimplError ? error : await openFault(file, error)
      await root.close()
      throw fault
    }
  }

  /** @param isDistrusted recompute the account by a walk over all items, as if the account contradicted the tree */
  private constructor(
    file: string,
    root: RootDatabase<Uint8Array, Uint8Array>,
    options: ContentStoreOptions,
    isDistrusted: boolean,
  ) {
    this.#file = file
    this.#nodeId = options.nodeId
    this.#policy = new StoragePolicy(options.radius, options.capacityBytes)
    this.#root = root
    this.#index = root.openDB<Uint8Array, Uint8Array>('index', { encoding: 'binary', keyEncoding: 'binary' })
    this.#values = root.openDB<Uint8Array, Uint8Array>('values', { encoding: 'binary', keyEncoding: 'binary' })
    const header = this.#readHeader()
    if (header === undefined) {
      this.#state = { usedBytes: 0, count: 0, radius: this.#policy.widestRadius }
      this.report = { recounted: false, evicted: 0 }
      return
    }
    // The account is committed with the items. A walk over all items at each start would take seconds for each million.
    const recounted = isDistrusted || this.#entryCount() !== header.count
    const { usedBytes, count } = recounted ? this.#recount() : header
    const stored = {
      usedBytes,
      count,
      radius: BigInt(header.radius),
      capacityBytes: header.capacityBytes,
      setting: header.setting,
    }
    const { evict, state } = this.#policy.decideOpen(stored, this.#placed(true))
    this.#state = state
    this.report = { recounted, evicted: evict.length }
    if (evict.length > 0) {
      this.#root.transactionSync(() => {
        for (const distance of evict) this.#remove(distance)
        this.#putHeader(state)
      })
    }
  }

  get usedBytes(): number {
    return this.#state.usedBytes
  }

  get capacityBytes(): number {
    return this.#policy.capacityBytes
  }

  get count(): number {
    return this.#state.count
  }

  get radius(): bigint {
    return this.#state.radius
  }

  get furthest(): StoredEntry | undefined {
    for (const entry of this.#entries(true)) return entry
    return undefined
  }

  get(contentId: Uint8Array): StoredContent | undefined {
    this.#assertOpen()
    const distance = distanceBetween(contentId, this.#nodeId)
    const indexed = this.#index.getBinaryFast(distance)
    if (indexed === undefined) return undefined
    // A buffer of getBinaryFast is valid until the next read, so each one is copied.
    const key = copyOut(indexed, INDEX_HEADER_BYTES)
    const value = this.#values.getBinaryFast(distance)
    return value && { key, value: copyOut(value, 0) }
  }

  has(contentId: Uint8Array): boolean {
    this.#assertOpen()
    return this.#index.doesExist(distanceBetween(contentId, this.#nodeId))
  }

  put(contentId: Uint8Array, key: Uint8Array, value: Uint8Array): Promise<PutOutcome> {
    return this.#enqueue(contentId, key, value) as Promise<PutOutcome>
  }

  delete(contentId: Uint8Array): Promise<boolean> {
    return this.#enqueue(contentId, EMPTY, undefined) as Promise<boolean>
  }

  entries(): IterableIterator<StoredEntry> {
    this.#assertOpen()
    return this.#entries(false)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pump
    await this.#root.close()
  }

  #enqueue(contentId: Uint8Array, key: Uint8Array, value: Uint8Array | undefined): Promise<PutOutcome | boolean> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      if (this.#waiting.length >= MAX_WAITING_WRITES || this.#waitingBytes >= MAX_WAITING_BYTES) {
        const limits = `${MAX_WAITING_WRITES} waiting writes of ${MAX_WAITING_BYTES} bytes`
        throw new SpimplError('STORE_BUSY', `expected at most ${limits}, got one more`)
      }
      this.#waitingBytes += value?.length ?? 0
      this.#waiting.push({ contentId, key, value, resolve, reject })
      this.#pump ??= this.#drain()
    })
  }

  /** Runs one transaction after the other; each takes the writes that wait when it starts. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      let writes: Write[] = []
      let outcomes: (PutOutcome | boolean)[] = []
      let state = this.#state
      try {
        await this.#root.childTransaction(() => {
          writes = this.#takeWaiting()
          outcomes = writes.map(write => {
            const applied = this.#apply(write, state)
            state = applied.state
            return applied.outcome
          })
          this.#putHeader(state)
        })
      } catch (cause) {
        const reason = await commitFault(cause)
        const error = new SpimplError('STORE_FAILED', `could not write to ${this.#file}: ${reason}`, { cause })
        if (writes.length === 0) writes = this.#takeWaiting()
        for (const write of writes) write.reject(error)
        continue
      }
      this.#state = state
      writes.forEach((write, at) => {
        write.resolve(outcomes[at]!)
      })
    }
    this.#pump = undefined
  }

  #takeWaiting(): Write[] {
    let bytes = 0
    let taken = 0
    while (taken < this.#waiting.length && taken < MAX_WRITES_PER_COMMIT && bytes < MAX_BYTES_PER_COMMIT) {
      bytes += this.#waiting[taken++]!.value?.length ?? 0
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, taken)
  }

  #apply(write: Write, state: PolicyState): { outcome: PutOutcome | boolean; state: PolicyState } {
    const distance = distanceBetween(write.contentId, this.#nodeId)
    const existing = this.#index.getBinaryFast(distance)
    const replacedCost = existing && costOf(existing)
    if (write.value === undefined) {
      if (replacedCost === undefined) return { outcome: false, state }
      this.#remove(distance)
      return { outcome: true, state: this.#policy.decideDelete(replacedCost, state) }
    }
    const cost = itemCost(write.key.length, write.value.length)
    const decision = this.#policy.decidePut({ distance, cost, replacedCost }, state, this.#placed(true))
    for (const gone of decision.evict) this.#remove(gone)
    if (decision.refused === undefined) {
      this.#index.putSync(distance, indexEntry(write.key, write.value.length))
      this.#values.putSync(distance, write.value)
    }
    const evicted = decision.evict.map(gone => distanceBetween(gone, this.#nodeId))
    return { outcome: outcomeOf(decision, evicted), state: decision.state }
  }

  #remove(distance: Uint8Array): void {
    this.#index.removeSync(distance)
    this.#values.removeSync(distance)
  }

  *#placed(reverse: boolean): IterableIterator<Placed> {
    for (const { key, value } of this.#index.getRange({ reverse }))
      yield { distance: ownBytes(key), cost: costOf(value) }
  }

  *#entries(reverse: boolean): IterableIterator<StoredEntry> {
    for (const { key, value } of this.#index.getRange({ reverse })) {
      const distance = ownBytes(key)
      yield {
        contentId: distanceBetween(distance, this.#nodeId),
        distance,
        key: copyOut(value, INDEX_HEADER_BYTES),
        valueBytes: valueBytesOf(value),
      }
    }
  }

  #entryCount(): number {
    return (this.#index.getStats() as { readonly entryCount: number }).entryCount
  }

  #recount(): { readonly usedBytes: number; readonly count: number } {
    let usedBytes = 0
    let count = 0
    for (const { cost } of this.#placed(false)) {
      usedBytes += cost
      count++
    }
    return { usedBytes, count }
  }

  #readHeader(): Header | undefined {
    const bytes = this.#root.getBinary(HEADER_KEY)
    if (bytes === undefined) return undefined
    let header: Header
    try {
      header = JSON.parse(Buffer.from(bytes).toString()) as Header
    } catch (cause) {
      throw new SpimplError('STORE_FAILED', `expected a readable state entry in ${this.#file}`, { cause })
    }
    if (header.schema !== SCHEMA) {
      const what = `expected a content database of schema ${SCHEMA} at ${this.#file}, got schema ${header.schema}`
      throw new SpimplError('STORE_MISMATCH', `${what}; use the release that made it, or another dataDir (--data-dir)`)
    }
    const nodeId = hexOf(this.#nodeId)
    if (header.nodeId !== nodeId) {
      const what = `${this.#file} belongs to node ${header.nodeId}, this node is ${nodeId}`
      throw new SpimplError(
        'STORE_MISMATCH',
        `${what}: start with the key that made it, or use another dataDir (--data-dir)`,
      )
    }
    return header
  }

  async #writeHeader(): Promise<void> {
    await this.#root.transaction(() => this.#putHeader(this.#state))
  }

  #putHeader(state: PolicyState): void {
    const header: Header = {
      schema: SCHEMA,
      nodeId: hexOf(this.#nodeId),
      usedBytes: state.usedBytes,
      count: state.count,
      radius: state.radius.toString(),
      capacityBytes: this.#policy.capacityBytes,
      setting: this.#policy.setting.type,
    }
    this.#root.putSync(HEADER_KEY, Buffer.from(JSON.stringify(header)))
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new SpimplError('STORE_CLOSED', `expected an open store, ${path.basename(this.#file)} is closed`)
  }
}

const EMPTY = new Uint8Array(0)
const HEADER_KEY = Buffer.from('state')
/** The length of the value, uint32 big-endian; the content key follows. */
const INDEX_HEADER_BYTES = 4

function indexEntry(key: Uint8Array, valueBytes: number): Buffer {
  const entry = Buffer.allocUnsafe(INDEX_HEADER_BYTES + key.length)
  entry.writeUInt32BE(valueBytes, 0)
  entry.set(key, INDEX_HEADER_BYTES)
  return entry
}

/** `length` of a buffer of lmdb is that of the value; `byteLength` is that of the scratch memory behind it. */
function valueBytesOf(entry: Uint8Array): number {
  return ((entry[0]! << 24) | (entry[1]! << 16) | (entry[2]! << 8) | entry[3]!) >>> 0
}

const costOf = (entry: Uint8Array): number => itemCost(entry.length - INDEX_HEADER_BYTES, valueBytesOf(entry))

function copyOut(lent: Uint8Array, from: number): Uint8Array {
  const { length } = lent
  return new Uint8Array(lent.buffer.slice(lent.byteOffset + from, lent.byteOffset + length))
}

const ownBytes = (lent: Uint8Array): Uint8Array => copyOut(lent, 0)

const hexOf = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
