import { decodeVarint, MAX_VARINT_BYTES } from '../codec/varint.ts'
import { type Result, refused } from '../errors.ts'

/** What one call of `take` used of the bytes, and the item that they completed. */
export interface Taken {
  readonly used: number
  readonly item: Uint8Array | undefined
}

type FrameErrorCode = 'VARINT_INVALID' | 'CONTENT_TOO_LARGE'

/**
 * Cuts the bytes of a uTP stream into content items (portal-wire-protocol.md, "Content Encoding": each item has its length before it
 * as unsigned LEB128; the one item of FIND_CONTENT has none at version 0 and ends with the stream).
 *
 * It stops behind each item, so that whoever reads can hold back the rest until the item is judged.
 */
export class ContentFrames {
  readonly #prefixed: boolean
  readonly #maxItemBytes: number
  readonly #prefix = new Uint8Array(MAX_VARINT_BYTES)
  #prefixBytes = 0
  /** The item on its way: of its full size with a prefix, growing without. */
  #item: Uint8Array | undefined
  #filled = 0

  constructor(options: { readonly prefixed: boolean; readonly maxItemBytes: number }) {
    this.#prefixed = options.prefixed
    this.#maxItemBytes = options.maxItemBytes
  }

  /** Copies from `bytes` at `start` up to the end of the item that is on its way. */
  take(bytes: Uint8Array, start: number): Result<Taken, FrameErrorCode> {
    if (!this.#prefixed) return this.#takeUnprefixed(bytes, start)
    let at = start
    while (this.#item === undefined) {
      if (at === bytes.length) return { ok: true, value: { used: at - start, item: undefined } }
      const byte = bytes[at++]!
      this.#prefix[this.#prefixBytes++] = byte
      if (byte >= 0x80 && this.#prefixBytes < MAX_VARINT_BYTES) continue
      const length = decodeVarint(this.#prefix.subarray(0, this.#prefixBytes), 0)
      if (!length.ok) return length
      if (length.value.value > this.#maxItemBytes) return this.#tooLarge(length.value.value)
      this.#prefixBytes = 0
      this.#item = new Uint8Array(length.value.value)
      this.#filled = 0
    }
    const item = this.#item
    const part = bytes.subarray(at, at + item.length - this.#filled)
    item.set(part, this.#filled)
    this.#filled += part.length
    at += part.length
    if (this.#filled < item.length) return { ok: true, value: { used: at - start, item: undefined } }
    this.#item = undefined
    return { ok: true, value: { used: at - start, item } }
  }

  /** The stream has ended: the item that ends with it, or undefined where one is cut short or none was under way. */
  end(): Uint8Array | undefined {
    const item = this.#prefixed ? undefined : this.#item?.subarray(0, this.#filled)
    this.#item = undefined
    return item
  }

  #takeUnprefixed(bytes: Uint8Array, start: number): Result<Taken, FrameErrorCode> {
    const part = bytes.subarray(start)
    const needed = this.#filled + part.length
    if (needed > this.#maxItemBytes) return this.#tooLarge(needed)
    const before = this.#item ?? new Uint8Array(64 * 1024)
    if (needed > before.length) {
      this.#item = new Uint8Array(Math.max(needed, 2 * before.length))
      this.#item.set(before.subarray(0, this.#filled))
    } else {
      this.#item = before
    }
    this.#item.set(part, this.#filled)
    this.#filled = needed
    return { ok: true, value: { used: part.length, item: undefined } }
  }

  #tooLarge(bytes: number): Result<never, FrameErrorCode> {
    return refused('CONTENT_TOO_LARGE', `expected an item of at most ${this.#maxItemBytes} bytes, got ${bytes}`)
  }
}
