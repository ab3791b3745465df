/** The kinds of records. */
export const recordKinds = ['handled', 'started', 'stopped', 'failed', 'restarted', 'dead-letter'] as const
/** What happened to an actor or a message. */
export type RecordKind = (typeof recordKinds)[number]

/** One record, decoded. */
export interface TraceRecord {
  readonly kind: RecordKind
  /** Milliseconds of the system's clock; short messages of one drain may share a moment. */
  readonly atMs: number
  readonly messageId: number
  /** The message on whose account this one was sent, 0 for none. */
  readonly causeId: number
  /** The path of the actor. */
  readonly path: string
  /** The tag of the handled message; for other kinds, a reason. */
  readonly tag: string
}

/** The size of a recorder. */
export interface RecorderOptions {
  /** How many records are kept, a power of two; older ones are overwritten. Default 65,536 (2.5 MiB). */
  readonly capacity?: number
}

const FIELDS = 5
const KINDS = 8

/**
 * The recent events of one thread, in a ring of fixed size: five numbers a record, written in place without allocation.
 * Names are kept beside it, each once.
 */
export class Recorder {
  /** Records written since the start, overwritten ones included. */
  written = 0
  /** While it is false, nothing is recorded. */
  enabled = true
  /** How many records it keeps. */
  readonly capacity: number
  readonly #ring: Float64Array
  readonly #tagIds = new Map<string, number>()
  readonly #tags: string[] = []
  readonly #paths = new Map<number, string>()
  /** Numbers in `paths` whose actor has ended. */
  readonly #ended = new Set<number>()

  constructor({ capacity = 65_536 }: RecorderOptions = {}) {
    if (capacity < 1 || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`expected a capacity that is a power of two, got ${capacity}`)
    }
    this.capacity = capacity
    this.#ring = new Float64Array(capacity * FIELDS)
  }

  /** The number under which a name is recorded. */
  tagId(tag: string): number {
    let id = this.#tagIds.get(tag)
    if (id === undefined) {
      id = this.#tags.push(tag) - 1
      this.#tagIds.set(tag, id)
    }
    return id
  }

  /** Maps an actor's number to its path. */
  knowActor(actorId: number, path: string): void {
    this.#paths.set(actorId, path)
  }

  /** The actor has ended; its path is forgotten once no record can name it. */
  forgetActor(actorId: number): void {
    this.#ended.add(actorId)
    if (this.#ended.size <= this.capacity * 2) return
    const named = new Set<number>()
    for (let at = 0; at < this.size; at++) named.add(Math.floor(this.#ring[at * FIELDS + 3]! / KINDS))
    for (const ended of this.#ended) {
      if (named.has(ended)) continue
      this.#ended.delete(ended)
      this.#paths.delete(ended)
    }
  }

  record(kind: number, atMs: number, messageId: number, causeId: number, actorId: number, tagId: number): void {
    const at = (this.written++ & (this.capacity - 1)) * FIELDS
    const ring = this.#ring
    ring[at] = atMs
    ring[at + 1] = messageId
    ring[at + 2] = causeId
    ring[at + 3] = actorId * KINDS + kind
    ring[at + 4] = tagId
  }

  /** The number of records that are kept. */
  get size(): number {
    return Math.min(this.written, this.capacity)
  }

  /** The records, the oldest first. */
  *records(): IterableIterator<TraceRecord> {
    for (let index = this.written - this.size; index < this.written; index++) {
      const at = (index & (this.capacity - 1)) * FIELDS
      const who = this.#ring[at + 3]!
      yield {
        kind: recordKinds[who % KINDS]!,
        atMs: this.#ring[at]!,
        messageId: this.#ring[at + 1]!,
        causeId: this.#ring[at + 2]!,
        path: this.#paths.get(Math.floor(who / KINDS)) ?? '',
        tag: this.#tags[this.#ring[at + 4]!] ?? '',
      }
    }
  }

  /** The bytes of the ring, the oldest record first: two runs of one seed give equal bytes. */
  bytes(): Uint8Array {
    const out = new Float64Array(this.size * FIELDS)
    const first = (this.written - this.size) & (this.capacity - 1)
    const head = this.#ring.subarray(first * FIELDS, Math.min(first + this.size, this.capacity) * FIELDS)
    out.set(head)
    out.set(this.#ring.subarray(0, out.length - head.length), head.length)
    return new Uint8Array(out.buffer)
  }
}

export const HANDLED = 0
export const STARTED = 1
export const STOPPED = 2
export const FAILED = 3
export const RESTARTED = 4
export const DEAD_LETTER = 5
