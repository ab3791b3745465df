/** What the table needs of a record. `NodeRecord` of src/identity has this shape. */
export interface TableRecord {
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** 0x and 64 digits: the key of every map. */
  readonly nodeIdHex: string
  readonly seq: bigint
  readonly endpoint: { readonly host: string; readonly port: number } | undefined
}

/** What a table holds: a record, and what its owner needs beside it (a radius, a version). */
export interface TableEntry {
  readonly record: TableRecord
}

/** One place of a table, with what is known of the liveness of its node. */
export class Slot<Entry extends TableEntry> {
  #entry: Entry
  #isLive = false
  #lastSeen: number
  #failures = 0
  #answers = 0

  constructor(entry: Entry, now: number) {
    this.#entry = entry
    this.#lastSeen = now
  }

  get entry(): Entry {
    return this.#entry
  }

  /** Whether the node has answered at its present address: only such nodes are advertised (discv5-theory.md). */
  get isLive(): boolean {
    return this.#isLive
  }

  /** When the node was inserted or last answered, in milliseconds of the core's clock. */
  get lastSeen(): number {
    return this.#lastSeen
  }

  /** Requests in a row that the node did not answer. */
  get failures(): number {
    return this.#failures
  }

  /** How often the node has answered. */
  get answers(): number {
    return this.#answers
  }

  /** The node answered. */
  answered(now: number): void {
    this.#isLive = true
    this.#lastSeen = now
    this.#failures = 0
    this.#answers++
  }

  /** The node did not answer. */
  missed(): void {
    this.#failures++
  }

  /** A newer entry of the node. At another address the node must prove itself again. */
  replace(entry: Entry, hasMoved: boolean): void {
    this.#entry = entry
    if (hasMoved) this.#isLive = false
  }
}

/** One k-bucket and its replacement cache, both sorted by when their nodes were last seen, the longest ago first. */
export class Bucket<Entry extends TableEntry> {
  readonly #members: Slot<Entry>[] = []
  readonly #replacements: Slot<Entry>[] = []
  #refreshedAt = Number.NEGATIVE_INFINITY

  get members(): readonly Slot<Entry>[] {
    return this.#members
  }

  get replacements(): readonly Slot<Entry>[] {
    return this.#replacements
  }

  /** When a lookup last went through this bucket; -Infinity if none ever has. */
  get refreshedAt(): number {
    return this.#refreshedAt
  }

  /** A lookup goes through this bucket now. */
  refreshed(now: number): void {
    this.#refreshedAt = now
  }

  /** Adds a member as the most recently seen. */
  add(slot: Slot<Entry>): void {
    this.#members.push(slot)
  }

  /** Moves a member to the end, the place of the most recently seen. */
  touch(slot: Slot<Entry>): void {
    const at = this.#members.indexOf(slot)
    if (at < 0 || at === this.#members.length - 1) return
    this.#members.splice(at, 1)
    this.#members.push(slot)
  }

  /** Adds a replacement. @returns the oldest one if it had to make room */
  reserve(slot: Slot<Entry>, limit: number): Slot<Entry> | undefined {
    this.dropReplacement(slot.entry.record.nodeIdHex)
    this.#replacements.push(slot)
    return this.#replacements.length > limit ? this.#replacements.shift() : undefined
  }

  dropReplacement(nodeIdHex: string): Slot<Entry> | undefined {
    const at = this.#replacements.findIndex(slot => slot.entry.record.nodeIdHex === nodeIdHex)
    return at < 0 ? undefined : this.#replacements.splice(at, 1)[0]
  }

  /** Removes a member. @returns the most recently seen replacement, which takes its place and is still unproven */
  remove(slot: Slot<Entry>): Slot<Entry> | undefined {
    const at = this.#members.indexOf(slot)
    if (at < 0) return undefined
    this.#members.splice(at, 1)
    const successor = this.#replacements.pop()
    if (successor !== undefined) this.#members.push(successor)
    return successor
  }
}
