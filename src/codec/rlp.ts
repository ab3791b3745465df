import { ok, type Result, refused } from '../errors.ts'
import { concatBytes } from './bytes.ts'
import { uintBytes } from './integers.ts'

/**
 * Recursive Length Prefix (yellow paper, appendix B): a strict reader that copies nothing, and a writer.
 *
 * The reader is a cursor. It accepts only the canonical form of an item: lengths in their shortest form, a single byte
 * below 0x80 without a header, integers without leading zeros, and no item that extends beyond its list.
 */

/** How deep lists may nest. A body with an access list, the deepest structure of Ethereum, has 5 levels. */
export const MAX_RLP_DEPTH = 128

/** The error of a reader. `readRlp` turns it into a refused result, so it never leaves a top-level decoder. */
export class RlpFault extends Error {
  override readonly name = 'RlpFault'
}

/** Decodes the one item in `bytes`. Bytes that `read` leaves unread are a fault. */
export function readRlp<T>(bytes: Uint8Array, read: (reader: RlpReader) => T): Result<T, 'RLP_INVALID'> {
  try {
    const reader = new RlpReader(bytes)
    const value = read(reader)
    reader.finish()
    return ok(value)
  } catch (error) {
    if (error instanceof RlpFault) return refused('RLP_INVALID', error.message)
    throw error
  }
}

/**
 * A cursor over the items of one list. Sub-lists and byte strings are views: nothing is copied. Anything but canonical
 * RLP throws an `RlpFault`, which `readRlp` turns into a refused result.
 */
export class RlpReader {
  readonly bytes: Uint8Array
  /** Offset of the next item. */
  at: number
  /** Offset after the last item. */
  readonly end: number
  /** The number of enclosing lists. */
  readonly depth: number
  /** The payload of the item that `#enter` entered last, in fields so that no header allocates. */
  #from = 0
  #to = 0

  constructor(bytes: Uint8Array, at = 0, end = bytes.length, depth = 0) {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.depth = depth
  }

  get atEnd(): boolean {
    return this.at === this.end
  }

  /** Moves the cursor to an offset at which an item of this list starts, or to the end. */
  moveTo(at: number): void {
    this.at = at
  }

  /** Whether the next item is a list. At the end of the list it throws. */
  peekIsList(): boolean {
    if (this.at >= this.end) throw new RlpFault('expected an item, got the end of the list')
    return this.bytes[this.at]! >= 0xc0
  }

  /** A reader over the next item, which must be a list. This reader moves past the list. */
  readList(): RlpReader {
    if (!this.#enter()) throw new RlpFault(`expected a list at byte ${this.at}, got a string`)
    if (this.depth >= MAX_RLP_DEPTH) throw new RlpFault(`lists are nested deeper than ${MAX_RLP_DEPTH}`)
    this.at = this.#to
    return new RlpReader(this.bytes, this.#from, this.#to, this.depth + 1)
  }

  /** The payload of the next item, which must be a string, as a view. */
  readBytes(): Uint8Array {
    this.#enterString()
    this.at = this.#to
    return this.bytes.subarray(this.#from, this.#to)
  }

  /** Like `readBytes`, for exactly `length` bytes. */
  readFixed(length: number): Uint8Array {
    this.#enterString()
    if (this.#to - this.#from !== length) {
      throw new RlpFault(`expected ${length} bytes at byte ${this.at}, got ${this.#to - this.#from}`)
    }
    this.at = this.#to
    return this.bytes.subarray(this.#from, this.#to)
  }

  /** A canonical unsigned integer of at most `maxBytes`, which are at most 6, so that a number is exact. */
  readUint(maxBytes = 6): number {
    this.#enterInteger(Math.min(maxBytes, 6))
    let value = 0
    for (let at = this.#from; at < this.#to; at++) value = value * 256 + this.bytes[at]!
    this.at = this.#to
    return value
  }

  /** A canonical unsigned integer of at most `maxBytes`, for instance 8 for a uint64 or 32 for a uint256. */
  readBigUint(maxBytes: number): bigint {
    this.#enterInteger(maxBytes)
    let value = 0n
    let at = this.#from
    // Six bytes at a time, which a number holds exactly, because every step of a bigint allocates.
    while (at < this.#to) {
      const stop = Math.min(at + 6, this.#to)
      let part = 0
      const count = stop - at
      for (; at < stop; at++) part = part * 256 + this.bytes[at]!
      value = (value << BigInt(8 * count)) | BigInt(part)
    }
    this.at = this.#to
    return value
  }

  /** Skips the next item. Of a list, only the header is checked. */
  skip(): void {
    this.#enter()
    this.at = this.#to
  }

  /** Skips the next item and checks everything in it. */
  skipChecked(): void {
    if (!this.peekIsList()) {
      this.skip()
      return
    }
    const list = this.readList()
    while (!list.atEnd) list.skipChecked()
  }

  /** The next item with its header, as a view. Of a list, only the header is checked. */
  rawItem(): Uint8Array {
    const start = this.at
    this.#enter()
    this.at = this.#to
    return this.bytes.subarray(start, this.at)
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (this.at !== this.end)
      throw new RlpFault(`expected the end at byte ${this.at}, got ${this.end - this.at} bytes more`)
  }

  #enterString(): void {
    if (this.#enter()) throw new RlpFault(`expected a string at byte ${this.at}, got a list`)
  }

  #enterInteger(maxBytes: number): void {
    this.#enterString()
    const length = this.#to - this.#from
    if (length > maxBytes) throw new RlpFault(`expected an integer of at most ${maxBytes} bytes, got ${length}`)
    if (length > 0 && this.bytes[this.#from] === 0)
      throw new RlpFault(`an integer at byte ${this.at} has leading zeros`)
  }

  /** Reads the header at the cursor into #from and #to. The cursor stays. @returns whether the item is a list */
  #enter(): boolean {
    const { bytes, at, end } = this
    if (at >= end) throw new RlpFault('expected an item, got the end')
    const first = bytes[at]!
    if (first < 0x80) {
      this.#from = at
      this.#to = at + 1
      return false
    }
    if (first < 0xb8) {
      this.#bound(at + 1, first - 0x80)
      if (first === 0x81 && bytes[at + 1]! < 0x80) throw new RlpFault(`a byte below 0x80 at byte ${at} has a header`)
      return false
    }
    if (first < 0xc0) {
      this.#enterLong(first - 0xb7)
      return false
    }
    if (first < 0xf8) this.#bound(at + 1, first - 0xc0)
    else this.#enterLong(first - 0xf7)
    return true
  }

  #enterLong(lengthBytes: number): void {
    const start = this.at + 1
    // A length of more than 6 bytes exceeds any buffer; up to 6 the sum is exact.
    if (lengthBytes > 6 || start + lengthBytes > this.end) {
      throw new RlpFault(`the item at byte ${this.at} extends beyond the end`)
    }
    if (this.bytes[start] === 0) throw new RlpFault(`the length at byte ${start} has leading zeros`)
    let length = 0
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + this.bytes[start + index]!
    if (length < 56) throw new RlpFault(`the length ${length} at byte ${start} belongs into the header`)
    this.#bound(start + lengthBytes, length)
  }

  #bound(from: number, length: number): void {
    if (from + length > this.end) throw new RlpFault(`the item at byte ${this.at} extends beyond the end`)
    this.#from = from
    this.#to = from + length
  }
}

/** A string, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[]

/** The whole tree of one item; its strings are views. For cold paths and tests; hot paths use `RlpReader`. */
export function decodeRlp(bytes: Uint8Array): Result<RlpItem, 'RLP_INVALID'> {
  return readRlp(bytes, readItem)
}

function readItem(reader: RlpReader): RlpItem {
  if (!reader.peekIsList()) return reader.readBytes()
  const list = reader.readList()
  const items: RlpItem[] = []
  while (!list.atEnd) items.push(readItem(list))
  return items
}

/**
 * The canonical encoding, in one buffer.
 *
 * @example
 * encodeRlp([uintBytes(1), new TextEncoder().encode('dog')]) // c5 01 83 64 6f 67
 */
export function encodeRlp(item: RlpItem): Uint8Array {
  const lengths: number[] = []
  const out = new Uint8Array(measure(item, lengths))
  new Filler(out, lengths).item(item)
  return out
}

/** The header (1 to 7 bytes) of a list whose encoded items have `length` bytes in total. */
export function rlpListHeader(length: number): Uint8Array {
  return header(length, 0xc0)
}

/** A list of items that are already encoded. */
export function rlpList(encodedItems: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const item of encodedItems) length += item.length
  return concatBytes(rlpListHeader(length), ...encodedItems)
}

/** A string with its header, in a new buffer. */
export function rlpBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && bytes[0]! < 0x80) return bytes.slice()
  const prefix = headerLength(bytes.length)
  const out = new Uint8Array(prefix + bytes.length)
  writeHeader(out, 0, bytes.length, 0x80)
  out.set(bytes, prefix)
  return out
}

/** The length of what `rlpBytes` returns. */
export function rlpBytesLength(bytes: Uint8Array): number {
  return bytes.length === 1 && bytes[0]! < 0x80 ? 1 : headerLength(bytes.length) + bytes.length
}

/** The length of a header for a payload of `length` bytes. */
function headerLength(length: number): number {
  if (length < 56) return 1
  let bytes = 2
  for (let rest = length; rest >= 256; rest = Math.floor(rest / 256)) bytes++
  return bytes
}

function header(length: number, base: number): Uint8Array {
  const out = new Uint8Array(headerLength(length))
  writeHeader(out, 0, length, base)
  return out
}

/** Writes a header. @returns the offset after it */
function writeHeader(out: Uint8Array, at: number, length: number, base: number): number {
  if (length < 56) {
    out[at] = base + length
    return at + 1
  }
  const digits = headerLength(length) - 1
  out[at] = base + 55 + digits
  let rest = length
  for (let index = digits; index > 0; index--) {
    out[at + index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return at + 1 + digits
}

/**
 * The encoded length of an item. Appends the payload length of every list, in the order in which `Filler` writes them.
 */
function measure(item: RlpItem, lengths: number[]): number {
  if (item instanceof Uint8Array) return rlpBytesLength(item)
  const slot = lengths.push(0) - 1
  let length = 0
  for (const child of item) length += measure(child, lengths)
  lengths[slot] = length
  return headerLength(length) + length
}

class Filler {
  readonly #out: Uint8Array
  readonly #lengths: readonly number[]
  #at = 0
  #list = 0

  constructor(out: Uint8Array, lengths: readonly number[]) {
    this.#out = out
    this.#lengths = lengths
  }

  item(item: RlpItem): void {
    if (!(item instanceof Uint8Array)) {
      this.#at = writeHeader(this.#out, this.#at, this.#lengths[this.#list++]!, 0xc0)
      for (const child of item) this.item(child)
    } else if (item.length === 1 && item[0]! < 0x80) {
      this.#out[this.#at++] = item[0]!
    } else {
      this.#at = writeHeader(this.#out, this.#at, item.length, 0x80)
      this.#out.set(item, this.#at)
      this.#at += item.length
    }
  }
}

export { uintBytes }
