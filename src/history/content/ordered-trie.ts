import { keccak256 } from '../../crypto/keccak.ts'

/**
 * The root of a Merkle-Patricia trie whose keys are rlp(0), rlp(1), ... rlp(count - 1): the form in which a header
 * commits to transactions, receipts and withdrawals (yellow paper, appendix D).
 *
 * The keys are known before the values, and none is a prefix of another. So no trie is built: the sorted keys are cut
 * into ranges by nibble, a node is encoded as soon as its children are, and a value exists only while its leaf is
 * hashed.
 *
 *     sorted keys     1 2 3 ... 127 | 0 | 128 129 ...      rlp(0) = 0x80 stands between rlp(127) and rlp(128) = 0x8180
 *     by nibble       [ 0x0 ][ 0x1 ] ... [ 0x8 ]           one child of the branch each; again for the nibbles below
 */

/** Bounds the work for a hostile list. A block of 21,000-gas transfers reaches it at 688 million gas. */
export const MAX_TRIE_ITEMS = 32_768

/** keccak256(rlp('')): the root of a trie without items. */
export const EMPTY_TRIE_ROOT: Uint8Array = keccak256(Uint8Array.of(0x80))

/**
 * Writes value `index` to `out` from `at` on, and returns the offset behind it. A value has at least one byte.
 * Each value is requested once, in the order of the keys: 1 to 127, 0, 128 and on.
 */
export type TrieValueWriter = (index: number, out: Uint8Array, at: number) => number

/** Room before a value for its own header (5), the key (5) and the header of the leaf (5). */
const LEAF_PREFIX_BYTES = 16
/** 16 children of at most 33 bytes, an empty value and a header; an extension is smaller. */
const BRANCH_BYTES = 16 * 33 + 1 + 5
/** The largest scratch buffer that is kept between calls. */
const SCRATCH_KEPT_BYTES = 4 * 1024 * 1024

/**
 * Reused, because nothing of it leaves `orderedTrieRoot`. A larger value gets a buffer of its own.
 */
let kept = new Uint8Array(256 * 1024)

/**
 * @param count how many values, at most MAX_TRIE_ITEMS
 * @param maxValueBytes the length of the longest value, or more
 * @returns 32 bytes
 */
export function orderedTrieRoot(count: number, maxValueBytes: number, write: TrieValueWriter): Uint8Array {
  if (count > MAX_TRIE_ITEMS) throw new RangeError(`expected at most ${MAX_TRIE_ITEMS} items, got ${count}`)
  if (count === 0) return EMPTY_TRIE_ROOT
  const wanted = Math.max(BRANCH_BYTES, LEAF_PREFIX_BYTES + maxValueBytes)
  let scratch = kept
  if (wanted > scratch.length) {
    scratch = new Uint8Array(wanted)
    if (wanted <= SCRATCH_KEPT_BYTES) kept = scratch
  }
  const trie = new TrieHasher(count, scratch, write)
  return trie.root()
}

class TrieHasher {
  readonly #count: number
  /** Holds one encoded node at a time: a node's children are references before the node itself is written. */
  readonly #scratch: Uint8Array
  readonly #write: TrieValueWriter
  /** The node that was encoded last is at these offsets of the scratch. */
  #start = 0
  #end = 0

  constructor(count: number, scratch: Uint8Array, write: TrieValueWriter) {
    this.#count = count
    this.#scratch = scratch
    this.#write = write
  }

  root(): Uint8Array {
    this.#encode(0, this.#count, 0)
    return keccak256(this.#scratch.subarray(this.#start, this.#end))
  }

  /** Encodes the node of the keys at sorted positions [low, high), whose first `depth` nibbles are above it. */
  #encode(low: number, high: number, depth: number): void {
    const first = this.#indexAt(low)
    if (high - low === 1) {
      this.#leaf(first, depth)
      return
    }

    // The keys are sorted: nibbles that the first and the last share are shared by all.
    const last = this.#indexAt(high - 1)
    let shared = depth
    while (nibble(first, shared) === nibble(last, shared)) shared++
    if (shared > depth) this.#extension(low, high, depth, shared)
    else this.#branch(low, high, depth)
  }

  /** Sorted as strings, rlp(0) = 0x80 stands between rlp(127) = 0x7f and rlp(128) = 0x8180. */
  #indexAt(position: number): number {
    const zero = Math.min(127, this.#count - 1)
    if (position < zero) return position + 1
    return position === zero ? 0 : position
  }

  /** [path, value]: the value is written first, and the headers before it, because their lengths depend on it. */
  #leaf(index: number, depth: number): void {
    const out = this.#scratch
    const end = this.#write(index, out, LEAF_PREFIX_BYTES)
    const length = end - LEAF_PREFIX_BYTES
    let at = LEAF_PREFIX_BYTES
    if (length > 1 || out[at]! >= 0x80) at = prependHeader(out, at, length, 0x80)
    at = prependPath(out, at, index, depth, nibbleCount(index), 0x20)
    this.#start = prependHeader(out, at, end - at, 0xc0)
    this.#end = end
  }

  /** [path, child], where the child is the branch below the shared nibbles. */
  #extension(low: number, high: number, depth: number, shared: number): void {
    this.#encode(low, high, shared)
    const child = this.#reference()
    const out = this.#scratch
    const end = writeReference(out, LEAF_PREFIX_BYTES, child)
    const at = prependPath(out, LEAF_PREFIX_BYTES, this.#indexAt(low), depth, shared, 0x00)
    this.#start = prependHeader(out, at, end - at, 0xc0)
    this.#end = end
  }

  /** Sixteen children and an empty value: no key is a prefix of another. */
  #branch(low: number, high: number, depth: number): void {
    const children: (Uint8Array | undefined)[] = new Array(16)
    let from = low
    while (from < high) {
      const digit = nibble(this.#indexAt(from), depth)
      let to = from + 1
      while (to < high && nibble(this.#indexAt(to), depth) === digit) to++
      this.#encode(from, to, depth + 1)
      children[digit] = this.#reference()
      from = to
    }
    const out = this.#scratch
    let at = LEAF_PREFIX_BYTES
    for (let digit = 0; digit < 16; digit++) {
      const child = children[digit]
      if (child === undefined) out[at++] = 0x80
      else at = writeReference(out, at, child)
    }
    out[at++] = 0x80
    this.#start = prependHeader(out, LEAF_PREFIX_BYTES, at - LEAF_PREFIX_BYTES, 0xc0)
    this.#end = at
  }

  /**
   * The reference of a parent to the node in the scratch: its hash, or the node itself if it is shorter than a hash.
   */
  #reference(): Uint8Array {
    const length = this.#end - this.#start
    if (length < 32) return this.#scratch.slice(this.#start, this.#end)
    return keccak256(this.#scratch.subarray(this.#start, this.#end))
  }
}

/** The nibbles of rlp(index). */
function nibbleCount(index: number): number {
  if (index < 0x80) return 2
  return index < 0x100 ? 4 : 6
}

function nibble(index: number, at: number): number {
  let key = index
  if (index === 0) key = 0x80
  else if (index >= 0x100) key = 0x82_0000 | index
  else if (index >= 0x80) key = 0x8100 | index
  return (key >>> (4 * (nibbleCount(index) - 1 - at))) & 0x0f
}

/** Hex-prefix encoding (yellow paper, appendix C) of nibbles [from, to) of a key, as an RLP string ending at `end`. */
function prependPath(out: Uint8Array, end: number, index: number, from: number, to: number, flag: number): number {
  let at = end
  let last = to
  while (last - from >= 2) {
    out[--at] = (nibble(index, last - 2) << 4) | nibble(index, last - 1)
    last -= 2
  }
  out[--at] = last > from ? flag | 0x10 | nibble(index, from) : flag
  // The flag byte is below 0x80, so a path of one byte is its own encoding.
  return end - at === 1 ? at : prependHeader(out, at, end - at, 0x80)
}

/** Writes an RLP header that ends at `at`; returns its offset. */
function prependHeader(out: Uint8Array, at: number, length: number, base: number): number {
  let start = at
  if (length < 56) {
    out[--start] = base + length
    return start
  }
  for (let rest = length; rest > 0; rest >>>= 8) out[--start] = rest & 0xff
  const digits = at - start
  out[--start] = base + 55 + digits
  return start
}

/** A hash is a string of 32 bytes; a shorter node is embedded as the list that it is. */
function writeReference(out: Uint8Array, at: number, reference: Uint8Array): number {
  let next = at
  if (reference.length === 32) out[next++] = 0xa0
  out.set(reference, next)
  return next + reference.length
}
