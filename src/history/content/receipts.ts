import { equalBytes } from '../../codec/bytes.ts'
import { RlpFault, RlpReader } from '../../codec/rlp.ts'
import { ok, type Result, refused } from '../../errors.ts'
import type { BlockHeader } from '../headers/header.ts'
import { BLOOM_BYTES, BloomHasher } from './bloom.ts'
import { orderedTrieRoot } from './ordered-trie.ts'
import { ContentFault, contradicts, MAX_CONTENT_BYTES } from './refusal.ts'
import { MAX_TRANSACTION_TYPE } from './transaction-envelope.ts'
import { itemStarts } from './trie-items.ts'

/** The commitment of a header that validation compares with. */
export type ReceiptsCommitments = Pick<BlockHeader, 'receiptsRoot'>

/** The counts of a valid receipts list. */
export interface ReceiptsSummary {
  readonly type: 'receipts'
  readonly receipts: number
  readonly logs: number
}

const ADDRESS_BYTES = 20
const TOPIC_BYTES = 32
const MAX_TOPICS = 4
/** The first byte of RLP of a string of 20 and of 32 bytes. */
const ADDRESS_PREFIX = 0x80 + ADDRESS_BYTES
const TOPIC_PREFIX = 0x80 + TOPIC_BYTES
/** Type, list header, bloom with its header: the parts of the consensus encoding that the network's lacks. */
const ADDED_BYTES = 1 + 5 + 3 + BLOOM_BYTES

/** Reused, because its tables take 600 kB. It is emptied at the start of every block. */
const blooms = new BloomHasher()

/**
 * Compares the bytes of a receipts list with the receipts root of its header (history/history-network.md, Receipts).
 *
 * A receipt of the network is [type, post-state or status, cumulative gas, logs] (devp2p, caps/eth.md, Receipt Encoding
 * and Validity; EIP-7642). The root is over the consensus encoding, type || rlp([post-state or status, cumulative
 * gas, bloom, logs]), without the type if it is 0, so the bloom is recomputed. Receipts before Byzantium have a
 * post-state of 32 bytes, later ones a status.
 *
 * A list has exactly one valid encoding. Never throws on any bytes. Codes: CONTENT_TOO_LARGE, RECEIPTS_MALFORMED,
 * RECEIPTS_ROOT_WRONG.
 */
export function validateReceipts(header: ReceiptsCommitments, bytes: Uint8Array): Result<ReceiptsSummary> {
  if (bytes.length > MAX_CONTENT_BYTES) {
    return refused('CONTENT_TOO_LARGE', `expected receipts of at most ${MAX_CONTENT_BYTES} bytes, got ${bytes.length}`)
  }
  try {
    const hasher = new ReceiptsHasher(bytes)
    const got = hasher.root()
    if (!equalBytes(got, header.receiptsRoot)) throw contradicts('RECEIPTS_ROOT_WRONG', header.receiptsRoot, got)
    return ok({ type: 'receipts', receipts: hasher.receipts, logs: hasher.logs })
  } catch (error) {
    if (error instanceof RlpFault) return refused('RECEIPTS_MALFORMED', error.message)
    if (error instanceof ContentFault) return refused(error.code, error.message)
    throw error
  }
}

/**
 * The receipts root of a receipts list in the network's form: 32 bytes.
 *
 * @throws RlpFault for bytes that are no such list: this is for making headers, not for content from the network
 */
export function receiptsRootOf(bytes: Uint8Array): Uint8Array {
  return new ReceiptsHasher(bytes).root()
}

class ReceiptsHasher {
  receipts = 0
  logs = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  root(): Uint8Array {
    const outer = new RlpReader(this.#bytes)
    const list = outer.readList()
    outer.finish()
    blooms.clear()
    const starts = itemStarts(list, 'receipts')
    this.receipts = starts.length
    return orderedTrieRoot(starts.length, this.#bytes.length + ADDED_BYTES, (index, out, at) => {
      list.moveTo(starts[index]!)
      return this.#writeReceipt(list.readList(), index, out, at)
    })
  }

  /** Parses one receipt and writes its consensus encoding. All but the bloom is copied byte by byte. */
  #writeReceipt(receipt: RlpReader, index: number, out: Uint8Array, start: number): number {
    const type = receipt.readUint(1)
    if (type > MAX_TRANSACTION_TYPE) {
      throw new RlpFault(`receipt ${index}: expected a type of 0 to ${MAX_TRANSACTION_TYPE}, got ${type}`)
    }
    const outcomeAt = receipt.at
    checkOutcome(receipt.readBytes(), type, index)
    receipt.readBigUint(8)
    const logsAt = receipt.at
    const logs = receipt.readList()
    receipt.finish()

    const length = receipt.end - outcomeAt + 3 + BLOOM_BYTES
    let at = start
    if (type !== 0) out[at++] = type
    at = writeListHeader(out, at, length)
    out.set(this.#bytes.subarray(outcomeAt, logsAt), at)
    at += logsAt - outcomeAt
    out[at] = 0xb9
    out[at + 1] = BLOOM_BYTES >>> 8
    out[at + 2] = BLOOM_BYTES & 0xff
    at += 3
    out.fill(0, at, at + BLOOM_BYTES)
    this.#addLogs(logs, index, out, at)
    at += BLOOM_BYTES
    out.set(this.#bytes.subarray(logsAt, receipt.end), at)
    return at + receipt.end - logsAt
  }

  /** Reads [address, topics, data] of each log strictly, and adds them to the bloom. */
  #addLogs(logs: RlpReader, index: number, bloom: Uint8Array, bloomAt: number): void {
    while (!logs.atEnd) {
      const log = logs.readList()
      this.#addItem(log, ADDRESS_PREFIX, ADDRESS_BYTES, index, bloom, bloomAt)
      const topics = log.readList()
      let count = 0
      for (; !topics.atEnd; count++) this.#addItem(topics, TOPIC_PREFIX, TOPIC_BYTES, index, bloom, bloomAt)
      if (count > MAX_TOPICS)
        throw new RlpFault(`receipt ${index}: expected at most ${MAX_TOPICS} topics, got ${count}`)
      if (log.peekIsList()) throw new RlpFault(`receipt ${index}: expected the data of a log, got a list`)
      log.skip()
      log.finish()
      this.logs++
    }
  }

  /** The header of the item is one byte, so it is read directly: a view of its own would cost more than the lookup. */
  #addItem(list: RlpReader, prefix: number, length: 20 | 32, index: number, bloom: Uint8Array, bloomAt: number): void {
    const at = list.at
    if (this.#bytes[at] !== prefix || at + 1 + length > list.end) {
      throw new RlpFault(`receipt ${index}: expected an address of 20 bytes or a topic of 32 at byte ${at}`)
    }
    blooms.add(this.#view, at + 1, length, bloom, bloomAt)
    list.moveTo(at + 1 + length)
  }
}

/** A status is 0 or 1 (EIP-658). A post-state has 32 bytes; typed transactions are younger and have none. */
function checkOutcome(outcome: Uint8Array, type: number, index: number): void {
  if (outcome.length === 0 || (outcome.length === 1 && outcome[0] === 1)) return
  if (outcome.length === 32 && type === 0) return
  throw new RlpFault(`receipt ${index}: expected a status of 0 or 1 or a post-state, got ${outcome.length} bytes`)
}

function writeListHeader(out: Uint8Array, start: number, length: number): number {
  let at = start
  if (length < 56) {
    out[at++] = 0xc0 + length
    return at
  }
  let digits = 1
  while (length >= 2 ** (8 * digits)) digits++
  out[at++] = 0xf7 + digits
  for (let shift = 8 * (digits - 1); shift >= 0; shift -= 8) out[at++] = (length >>> shift) & 0xff
  return at
}
