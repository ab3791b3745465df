import { fromHex, toHex } from '../../src/codec/hex.ts'
import { SpimplError } from '../../src/errors.ts'
import { MAX_BLOCK_NUMBER } from '../../src/history/content/content-key.ts'
import { contentIdOfKey, encodeContentKey, type HistoryKey } from '../../src/history/history.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import type { RecordDecoder } from '../../src/identity/record-decoder.ts'
import type { ContentKey, NodeId, Peer } from '../../src/rpc/node-api.ts'

const NODE_ID_BYTES = 32

/** A content key with the id that the history network derives from it. */
export interface NamedContent {
  readonly key: Uint8Array
  /** 32 bytes. */
  readonly contentId: Uint8Array
}

/**
 * What callers pass to the API, checked and in the one shape that actors take. Each method throws a SpimplError for
 * anything else.
 */
export class Arguments {
  readonly #records: RecordDecoder

  constructor(records: RecordDecoder) {
    this.#records = records
  }

  /** @throws SpimplError an ENR_ code, or `USAGE` */
  record(peer: Peer): NodeRecord {
    if (typeof peer === 'object') return peer
    if (typeof peer !== 'string') throw wrong('a node record or its text (enr:...)', peer)
    const record = this.#records.parse(peer)
    if (record.ok) return record.value
    throw new SpimplError(record.code, `expected a node record, got ${excerpt(peer)}: ${record.detail}`)
  }

  /** @throws SpimplError `USAGE` */
  nodeId(nodeId: NodeId): Uint8Array {
    const bytes = typeof nodeId === 'string' ? fromHex(nodeId) : { ok: true as const, value: nodeId }
    if (bytes.ok && bytes.value instanceof Uint8Array && bytes.value.length === NODE_ID_BYTES) return bytes.value
    throw wrong('a node id of 32 bytes, or of 0x and 64 hexadecimal digits', nodeId)
  }

  nodeIdHex(nodeId: NodeId): string {
    return toHex(this.nodeId(nodeId))
  }

  /** @throws SpimplError `CONTENT_KEY_INVALID` */
  content(key: ContentKey): NamedContent {
    const bytes = key instanceof Uint8Array ? key : encodedKey(key)
    const id = contentIdOfKey(bytes)
    if (id.ok) return { key: bytes, contentId: id.value }
    throw new SpimplError('CONTENT_KEY_INVALID', `expected a content key of the history network, got ${toHex(bytes)}`)
  }

  /** @throws SpimplError `USAGE` */
  bytes(content: Uint8Array): Uint8Array {
    if (content instanceof Uint8Array) return content
    throw wrong('content as a Uint8Array', content)
  }
}

function encodedKey({ type, number }: HistoryKey): Uint8Array {
  const isKnown = type === 'body' || type === 'receipts'
  if (isKnown && typeof number === 'bigint' && number >= 0n && number <= MAX_BLOCK_NUMBER)
    return encodeContentKey({ type, number })
  const got = `type ${JSON.stringify(type)} and number ${String(number)} (${typeof number})`
  throw new SpimplError(
    'CONTENT_KEY_INVALID',
    `expected type "body" or "receipts" and a block number as a bigint of 64 bits, got ${got}`,
  )
}

function wrong(expected: string, got: unknown): SpimplError {
  const what = typeof got === 'string' ? excerpt(got) : got instanceof Uint8Array ? `${got.length} bytes` : typeof got
  return new SpimplError('USAGE', `expected ${expected}, got ${what}`)
}

const EXCERPT_CHARACTERS = 80

const excerpt = (text: string): string =>
  JSON.stringify(text.length > EXCERPT_CHARACTERS ? `${text.slice(0, EXCERPT_CHARACTERS)}...` : text)
