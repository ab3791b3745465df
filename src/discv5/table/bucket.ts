/** What the table must know of a record. `NodeRecord` of src/identity has this shape. */
export interface TableRecord {
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** 0x and 64 digits: the key of every map. */
  readonly nodeIdHex: string
  readonly seq: bigint
  readonly endpoint: { readonly host: string; readonly port: number } | undefined
}

/** What a table holds: a record, and whatever its owner needs beside it (a radius, a version). */
export interface TableEntry {
  readonly record: TableRecord
}

/** One place of a table. */
export interface Slot<Entry extends TableEntry> {
  entry: Entry
  /** Whether it has answered at least once since it stands here: only such nodes are told to others (discv5-theory.md). */
  live: boolean
  /** When it was inserted or last answered, milliseconds of the core's clock. */
  lastSeen: number
  /** Requests in a row that it did not answer. */
  failures: number
  /** How often it has answered a check. */
  answers: number
}

/**
 * One k-bucket and its replacement cache. Members are sorted by when they were last seen, the longest ago first; so are
 * the replacements.
 */
export class Bucket<Entry extends TableEntry> {
  readonly members: Slot<Entry>[] = []
  readonly replacements: Slot<Entry>[] = []
  /** When a lookup last went through this bucket; a bucket that was never refreshed comes first. */
  refreshedAt = Number.NEGATIVE_INFINITY

  /** Moves a member to the end, where the most recently seen stands. */
  touch(slot: Slot<Entry>): void {
    const at = this.members.indexOf(slot)
    if (at < 0 || at === this.members.length - 1) return
    this.members.splice(at, 1)
    this.members.push(slot)
  }

  /** Keeps a node in reserve; the oldest of the reserve makes room. Returns who lost its place. */
  reserve(slot: Slot<Entry>, limit: number): Slot<Entry> | undefined {
    this.dropReplacement(slot.entry.record.nodeIdHex)
    this.replacements.push(slot)
    return this.replacements.length > limit ? this.replacements.shift() : undefined
  }

  dropReplacement(nodeIdHex: string): Slot<Entry> | undefined {
    const at = this.replacements.findIndex(slot => slot.entry.record.nodeIdHex === nodeIdHex)
    return at < 0 ? undefined : this.replacements.splice(at, 1)[0]
  }

  /** Takes a member out; the most recently seen of the reserve takes the place, still unproven. */
  remove(slot: Slot<Entry>): Slot<Entry> | undefined {
    const at = this.members.indexOf(slot)
    if (at < 0) return undefined
    this.members.splice(at, 1)
    const successor = this.replacements.pop()
    if (successor !== undefined) this.members.push(successor)
    return successor
  }
}
