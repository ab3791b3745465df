import { equalBytes } from '../codec/bytes.ts'
import { readRlp, rlpBytes, rlpList, uintBytes } from '../codec/rlp.ts'
import type { Cryptography } from '../crypto/cryptography.ts'
import { SpimplError, unwrap } from '../errors.ts'
import type { Endpoint } from '../transport/datagram.ts'
import type { IdentityScheme } from './identity.ts'
import { parseAddress } from './ip-address.ts'
import { decodeRecord, fieldFault, MAX_RECORD_BYTES, type NodeRecord } from './node-record.ts'
import { encodePortalVersions, type PortalVersions } from './portal-versions.ts'
import { v4 } from './v4.ts'

/** A value to set: bytes, a text (UTF-8), an unsigned integer, or `{ rlp }`, an encoded value such as a list. */
export type RecordValue = Uint8Array | string | number | bigint | { readonly rlp: Uint8Array }

/** New values by key; undefined removes a key. */
export type RecordChanges = Readonly<Record<string, RecordValue | undefined>>

const MAX_SEQ = 2n ** 64n - 1n

/**
 * The own record: holds the private key, collects changes, and on `publish` signs a new `NodeRecord` with the next
 * `seq` if anything has changed.
 *
 * @example
 * const own = new PublishableRecord({ privateKey, crypto: nodeCryptography })
 * own.set({ ...endpointEntries({ host: '192.0.2.1', port: 9009 }), p: portalEntry({ min: 2, max: 2, chainId: 1n }) })
 * own.publish().text // 'enr:...', seq 2
 */
export class PublishableRecord {
  readonly #privateKey: Uint8Array
  readonly #crypto: Cryptography
  readonly #scheme: IdentityScheme
  /** The entries of the identity scheme, which may not change. */
  readonly #fixed: Map<string, Uint8Array>
  /** The encoded values with their headers, of the published record and of the next one. */
  #published: Entries
  #next: Entries
  #current: NodeRecord

  /**
   * @param options.privateKey a key of the scheme; 32 bytes for v4
   * @param options.entries the entries of the first record besides the scheme's own
   * @param options.previous the last record that was published with this key, so that `seq` continues after a restart
   * @throws KEY_INVALID, ENR_FIELD_INVALID, ENR_TOO_LARGE
   */
  constructor(options: {
    readonly privateKey: Uint8Array
    readonly crypto: Cryptography
    readonly entries?: RecordChanges
    readonly seq?: bigint
    readonly previous?: NodeRecord
    readonly scheme?: IdentityScheme
  }) {
    this.#privateKey = options.privateKey.slice()
    this.#crypto = options.crypto
    this.#scheme = options.scheme ?? v4
    this.#fixed = new Map([['id', rlpBytes(latin1(this.#scheme.name))]])
    for (const [key, value] of Object.entries(this.#scheme.entries(this.#privateKey, this.#crypto))) {
      this.#fixed.set(key, rlpBytes(value))
    }
    const entries = this.#changed(options.entries ?? {}, this.#fixed)
    this.#next = entries
    this.#published = entries
    const { previous } = options
    if (previous !== undefined && sameEntries(entries, rawEntries(previous))) {
      this.#current = previous
    } else {
      this.#current = this.#sign(entries, previous === undefined ? (options.seq ?? 1n) : previous.seq + 1n)
      if (previous !== undefined && previous.nodeIdHex !== this.#current.nodeIdHex) {
        throw new SpimplError('ENR_FIELD_INVALID', 'expected a previous record of the same key')
      }
    }
  }

  /** The record that was published last. */
  get current(): NodeRecord {
    return this.#current
  }

  /** Whether `publish` would sign a new record. */
  get changed(): boolean {
    return !sameEntries(this.#published, this.#next)
  }

  /**
   * Collects changes for the next record. After an error none of them is applied.
   *
   * @throws ENR_FIELD_INVALID for a value of the wrong shape or a key of the identity scheme; ENR_TOO_LARGE
   */
  set(changes: RecordChanges): void {
    this.#next = this.#changed(changes, this.#next)
  }

  /** A record with all changes so far, signed with the next `seq`; without any change, the current record. */
  publish(): NodeRecord {
    if (this.changed) {
      this.#current = this.#sign(this.#next, this.#current.seq + 1n)
      this.#published = this.#next
    }
    return this.#current
  }

  /** Signs a digest of 32 bytes with the node's key, as a discv5 handshake does to prove the identity. */
  signDigest(digest: Uint8Array): Uint8Array {
    return this.#crypto.sign(digest, this.#privateKey)
  }

  /** The compressed point (33 bytes) shared with a public key; undefined if the key is no point of the curve. */
  sharedPoint(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#crypto.sharedPoint(publicKey, this.#privateKey)
  }

  /** The entries after the changes: sorted, checked, and small enough for any `seq`. */
  #changed(changes: RecordChanges, before: Entries): Entries {
    const entries = new Map(before)
    for (const [key, value] of Object.entries(changes)) {
      if (this.#fixed.has(key)) {
        throw new SpimplError('ENR_FIELD_INVALID', `expected no change of ${key}, which is part of the node's identity`)
      }
      if (value === undefined) entries.delete(key)
      else entries.set(key, encodeValue(key, value))
    }
    const sorted = new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
    const size = encodeRecord(sorted, MAX_SEQ, new Uint8Array(this.#scheme.signatureBytes)).length
    if (size > MAX_RECORD_BYTES) {
      throw new SpimplError(
        'ENR_TOO_LARGE',
        `expected a record of at most ${MAX_RECORD_BYTES} bytes, got up to ${size}`,
      )
    }
    return sorted
  }

  #sign(entries: Entries, seq: bigint): NodeRecord {
    if (seq < 0n || seq > MAX_SEQ) throw new SpimplError('ENR_FIELD_INVALID', `expected seq to be a uint64, got ${seq}`)
    const signature = this.#scheme.sign(encodeRecord(entries, seq), this.#privateKey, this.#crypto)
    const bytes = encodeRecord(entries, seq, signature)
    return unwrap(decodeRecord(bytes, this.#crypto, new Map([[this.#scheme.name, this.#scheme]])))
  }
}

/** The entries that advertise a UDP endpoint: `ip` and `udp`, or `ip6` and `udp6`. */
export function endpointEntries(endpoint: Endpoint): RecordChanges {
  const address = parseAddress(endpoint.host)
  if (address === undefined) {
    throw new SpimplError('ADDRESS_INVALID', `expected an IPv4 or IPv6 address, got ${JSON.stringify(endpoint.host)}`)
  }
  return address.length === 4 ? { ip: address, udp: endpoint.port } : { ip6: address, udp6: endpoint.port }
}

/** The value of the key `p`. */
export function portalEntry(versions: PortalVersions & { readonly chainId: bigint }): RecordValue {
  return { rlp: encodePortalVersions(versions) }
}

/** Values with their headers by key, sorted by key. */
type Entries = ReadonlyMap<string, Uint8Array>

/** The encoding of a record; without a signature, the content to sign. */
function encodeRecord(entries: Entries, seq: bigint, signature?: Uint8Array): Uint8Array {
  const items = signature === undefined ? [] : [rlpBytes(signature)]
  items.push(rlpBytes(uintBytes(seq)))
  for (const [key, value] of entries) items.push(rlpBytes(latin1(key)), value)
  return rlpList(items)
}

function encodeValue(key: string, value: RecordValue): Uint8Array {
  if (/[^\0-\xff]/.test(key)) {
    throw new SpimplError(
      'ENR_FIELD_INVALID',
      `expected a key of one character for each byte, got ${JSON.stringify(key)}`,
    )
  }
  const item = encodeItem(value)
  const fault = fieldFault(key, item)
  if (fault !== undefined) throw new SpimplError('ENR_FIELD_INVALID', fault)
  return item
}

function encodeItem(value: RecordValue): Uint8Array {
  if (value instanceof Uint8Array) return rlpBytes(value)
  if (typeof value === 'string') return rlpBytes(new TextEncoder().encode(value))
  if (typeof value !== 'object') return rlpBytes(uintBytes(value))
  const checked = readRlp(value.rlp, reader => reader.skipChecked())
  if (!checked.ok) throw new SpimplError('ENR_FIELD_INVALID', `expected one RLP item, but ${checked.detail}`)
  return value.rlp.slice()
}

function rawEntries(record: NodeRecord): Entries {
  const entries = new Map<string, Uint8Array>()
  for (const [key] of record.entries()) entries.set(key, record.getRaw(key)!)
  return entries
}

function sameEntries(a: Entries, b: Entries): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    const other = b.get(key)
    if (other === undefined || !equalBytes(value, other)) return false
  }
  return true
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0))
}
