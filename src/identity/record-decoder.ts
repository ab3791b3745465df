import type { Cryptography } from '../crypto/cryptography.ts'
import { type Result, SpimplError } from '../errors.ts'
import type { IdentitySchemes } from './identity.ts'
import { decodeRecord, MAX_RECORD_BYTES, type NodeRecord, type RecordErrorCode, recordBytes } from './node-record.ts'
import { standardSchemes } from './v4.ts'

/** How many verified records a decoder remembers by default. Each takes about 1 kB. */
export const DEFAULT_REMEMBERED_RECORDS = 2048

/**
 * Decodes records and remembers those that it has verified. NODES answers repeat the same few hundred records, and a
 * verification costs about a hundred times as much as a lookup here (bench/enr.ts). The least recently seen record is
 * forgotten.
 */
export class RecordDecoder {
  readonly capacity: number
  readonly #crypto: Cryptography
  readonly #schemes: IdentitySchemes
  /** Least recently seen first. The key is the whole encoding with its signature, one character for each byte. */
  readonly #verified = new Map<string, NodeRecord>()
  #hits = 0
  #misses = 0

  constructor(options: {
    readonly crypto: Cryptography
    readonly capacity?: number
    readonly schemes?: IdentitySchemes
  }) {
    this.capacity = options.capacity ?? DEFAULT_REMEMBERED_RECORDS
    if (!Number.isInteger(this.capacity) || this.capacity < 0) {
      throw new SpimplError('USAGE', `expected a capacity of 0 or more records, got ${this.capacity}`)
    }
    this.#crypto = options.crypto
    this.#schemes = options.schemes ?? standardSchemes
  }

  /** Like the function `decodeRecord`. Equal bytes give the same object while the record is remembered. */
  decode(bytes: Uint8Array): Result<NodeRecord, RecordErrorCode> {
    if (bytes.length > MAX_RECORD_BYTES) return decodeRecord(bytes, this.#crypto, this.#schemes)
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#verified.get(key)
    if (known !== undefined) {
      this.#hits++
      this.#verified.delete(key)
      this.#verified.set(key, known)
      return { ok: true, value: known }
    }
    this.#misses++
    const result = decodeRecord(bytes, this.#crypto, this.#schemes)
    if (result.ok) this.#remember(key, result.value)
    return result
  }

  /** Like the function `parseRecord`. */
  parse(text: string): Result<NodeRecord, RecordErrorCode> {
    const bytes = recordBytes(text)
    return bytes.ok ? this.decode(bytes.value) : bytes
  }

  /** How many records were found, how many had to be decoded, and how many are remembered. */
  counters(): { readonly hits: number; readonly misses: number; readonly size: number } {
    return { hits: this.#hits, misses: this.#misses, size: this.#verified.size }
  }

  #remember(key: string, record: NodeRecord): void {
    if (this.capacity === 0) return
    if (this.#verified.size >= this.capacity) {
      const oldest = this.#verified.keys().next()
      if (!oldest.done) this.#verified.delete(oldest.value)
    }
    this.#verified.set(key, record)
  }
}
