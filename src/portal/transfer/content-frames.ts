import { decodeVarint, MAX_VARINT_BYTES } from '../../codec/varint.ts'
import { type Result, refused } from '../../errors.ts'

/** What one call of `take` used of the bytes, and the item that they completed. */
export interface Taken {
  readonly used: number
  readonly item: Uint8Array | undefined
}

type FrameErrorCode = 'VARINT_INVALID' | 'CONTENT_TOO_LARGE'

/**
 * The first allocation for an item; later ones are four times what has arrived. The announced size is never allocated
 * at once, since its sender may send none of it.
 */
const FIRST_BYTES = 256 * 1024

/**
 * Cuts the bytes of a uTP stream into content items (portal-wire-protocol.md, "Content Encoding"). Each item is
 * preceded by its length as unsigned LEB128, except that the one item of FIND_CONTENT at version 0 ends with the
 * stream.
 *
 * It stops after each item, so that its owner can hold back the rest until the item is validated, and before a large
 * one, so that its owner can wait for memory.
 */
export class ContentFrames {
  readonly #prefixed: boolean
  readonly #maxItemBytes: number
  readonly #freeItemBytes: number
  readonly #prefix = new Uint8Array(MAX_VARINT_BYTES)
  #prefixBytes = 0
  /** Bytes of the current item; without a prefix, its greatest possible size. -1 between items. */
  #length = -1
  #isAllowed = false
  #item = new Uint8Array(0)
  #filled = 0

  /** @param options.freeItemBytes items up to this size need no `allow`. Default: all */
  constructor(options: {
    readonly prefixed: boolean
    readonly maxItemBytes: number
    readonly freeItemBytes?: number
  }) {
    this.#prefixed = options.prefixed
    this.#maxItemBytes = options.maxItemBytes
    this.#freeItemBytes = options.freeItemBytes ?? Number.POSITIVE_INFINITY
    if (!this.#prefixed) this.#begin(this.#maxItemBytes)
  }

  /** The size of the item that waits for `allow`; undefined if none does. */
  get wantedBytes(): number | undefined {
    return this.#length < 0 || this.#isAllowed ? undefined : this.#length
  }

  /** There is memory for the item of `wantedBytes`. */
  allow(): void {
    this.#isAllowed = true
  }

  /** Copies bytes from `start` up to the end of the current item; none while the item waits for `allow`. */
  take(bytes: Uint8Array, start: number): Result<Taken, FrameErrorCode> {
    let at = start
    while (this.#length < 0) {
      if (at === bytes.length) return { ok: true, value: { used: at - start, item: undefined } }
      const byte = bytes[at++]!
      this.#prefix[this.#prefixBytes++] = byte
      if (byte >= 0x80 && this.#prefixBytes < MAX_VARINT_BYTES) continue
      const length = decodeVarint(this.#prefix.subarray(0, this.#prefixBytes), 0)
      if (!length.ok) return length
      if (length.value.value > this.#maxItemBytes) return this.#tooLarge(length.value.value)
      this.#prefixBytes = 0
      this.#begin(length.value.value)
    }
    if (!this.#isAllowed) return { ok: true, value: { used: at - start, item: undefined } }
    const part = bytes.subarray(at, at + this.#length - this.#filled)
    if (!this.#prefixed && bytes.length - at > part.length) return this.#tooLarge(this.#filled + bytes.length - at)
    this.#fill(part)
    at += part.length
    if (!this.#prefixed || this.#filled < this.#length) {
      return { ok: true, value: { used: at - start, item: undefined } }
    }
    return { ok: true, value: { used: at - start, item: this.#end() } }
  }

  /** The stream has ended. @returns the item that ends with it; undefined if there is none, or one was cut short */
  end(): Uint8Array | undefined {
    return this.#prefixed || this.#filled === 0 ? undefined : this.#end()
  }

  #begin(length: number): void {
    this.#length = length
    this.#isAllowed = length <= this.#freeItemBytes
  }

  #fill(part: Uint8Array): void {
    const needed = this.#filled + part.length
    if (needed > this.#item.length) {
      const grown = new Uint8Array(Math.min(this.#length, Math.max(FIRST_BYTES, 4 * this.#filled, needed)))
      grown.set(this.#item.subarray(0, this.#filled))
      this.#item = grown
    }
    this.#item.set(part, this.#filled)
    this.#filled = needed
  }

  #end(): Uint8Array {
    const item = this.#item.subarray(0, this.#filled)
    this.#item = new Uint8Array(0)
    this.#length = -1
    this.#filled = 0
    return item
  }

  #tooLarge(bytes: number): Result<never, FrameErrorCode> {
    return refused('CONTENT_TOO_LARGE', `expected an item of at most ${this.#maxItemBytes} bytes, got ${bytes}`)
  }
}
