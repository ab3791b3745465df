import { fromBase64Url, toBase64Url } from '../codec/base64url.ts'
import { compareBytes } from '../codec/bytes.ts'
import { toHex } from '../codec/hex.ts'
import { RlpFault, RlpReader, rlpListHeader } from '../codec/rlp.ts'
import type { Cryptography } from '../crypto/cryptography.ts'
import { type IdentityErrorCode, ok, type Result, refused } from '../errors.ts'
import type { Endpoint } from '../transport/datagram.ts'
import type { Identity, IdentitySchemes } from './identity.ts'
import { formatAddress } from './ip-address.ts'
import {
  decodeLegacyVersions,
  decodePortalVersions,
  LEGACY_PORTAL_KEY,
  PORTAL_KEY,
  type PortalVersions,
} from './portal-versions.ts'
import { standardSchemes } from './v4.ts'

/** The maximum length of an encoded record in bytes (EIP-778). */
export const MAX_RECORD_BYTES = 300

/** The maximum length of a record's text: the prefix and 300 bytes in base64. */
export const MAX_RECORD_CHARACTERS = 4 + (MAX_RECORD_BYTES / 3) * 4

const PREFIX = 'enr:'

/** The predefined keys and the shape of their values (EIP-778, "Record Structure"). */
const FIELD_SHAPES: ReadonlyMap<string, { readonly bytes?: number; readonly port?: true }> = new Map([
  ['ip', { bytes: 4 }],
  ['ip6', { bytes: 16 }],
  ['tcp', { port: true }],
  ['tcp6', { port: true }],
  ['udp', { port: true }],
  ['udp6', { port: true }],
])

/** Why a record was refused. */
export type RecordErrorCode = Exclude<IdentityErrorCode, 'KEY_INVALID' | 'TRANSACTION_INVALID'>

/**
 * A signed record of a node (ENR, EIP-778): immutable and verified. Values are read from its bytes on demand.
 *
 * @example
 * const record = unwrap(parseRecord('enr:-IS4QHCYrYZbAKWC...', nodeCryptography))
 * record.endpoint // { host: '127.0.0.1', port: 30303 }
 */
export class NodeRecord {
  /** The RLP encoding: at most 300 bytes, read-only. */
  readonly bytes: Uint8Array
  /** A uint64. */
  readonly seq: bigint
  /** The name of the identity scheme, for instance `v4`. */
  readonly scheme: string
  /** 33 bytes, compressed, for v4. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** `0x` and 64 digits: the key of every map of nodes. */
  readonly nodeIdHex: string
  readonly #layout: Layout
  #text: string | undefined
  #endpoint4: Endpoint | null | undefined
  #endpoint6: Endpoint | null | undefined
  #portal: PortalVersions | null | undefined

  /** Only for `decodeRecord`, which has verified the arguments. */
  constructor(bytes: Uint8Array, layout: Layout, scheme: string, identity: Identity) {
    this.bytes = bytes
    this.#layout = layout
    this.seq = layout.seq
    this.scheme = scheme
    this.publicKey = identity.publicKey
    this.nodeId = identity.nodeId
    this.nodeIdHex = toHex(identity.nodeId)
  }

  /** `enr:` and the bytes in base64url. */
  get text(): string {
    this.#text ??= PREFIX + toBase64Url(this.bytes)
    return this.#text
  }

  /** The value of a key, as a view: the bytes of a string, or a list with its header. */
  get(key: string): Uint8Array | undefined {
    return anyValue(this.bytes, this.#layout, key)
  }

  /** The encoded value of a key with its header, as a view. */
  getRaw(key: string): Uint8Array | undefined {
    const index = this.#layout.keys.indexOf(key)
    return index < 0 ? undefined : this.bytes.subarray(this.#layout.values[index], this.#layout.ends[index])
  }

  /** Keys, each byte one character (Latin-1), and their values as `get` gives them, in the order of the record. */
  *entries(): Generator<readonly [key: string, value: Uint8Array]> {
    for (const key of this.#layout.keys) yield [key, this.get(key)!]
  }

  /** The advertised UDP endpoint over IPv4. */
  get endpoint4(): Endpoint | undefined {
    if (this.#endpoint4 === undefined) this.#endpoint4 = this.#endpoint('ip', 'udp')
    return this.#endpoint4 ?? undefined
  }

  /** The advertised UDP endpoint over IPv6; without `udp6` the port `udp` applies to both families. */
  get endpoint6(): Endpoint | undefined {
    if (this.#endpoint6 === undefined) {
      this.#endpoint6 = this.#endpoint('ip6', this.#layout.keys.includes('udp6') ? 'udp6' : 'udp')
    }
    return this.#endpoint6 ?? undefined
  }

  /** The endpoint over IPv4 if there is one, otherwise that over IPv6. */
  get endpoint(): Endpoint | undefined {
    return this.endpoint4 ?? this.endpoint6
  }

  /** The Portal versions of `p`, or of `pv` if there is no `p`; undefined if the value is missing or malformed. */
  get portal(): PortalVersions | undefined {
    if (this.#portal === undefined) {
      const current = this.get(PORTAL_KEY)
      const legacy = this.get(LEGACY_PORTAL_KEY)
      if (current !== undefined) this.#portal = decodePortalVersions(current) ?? null
      else this.#portal = (legacy && decodeLegacyVersions(legacy)) ?? null
    }
    return this.#portal ?? undefined
  }

  toString(): string {
    return this.text
  }

  toJSON(): string {
    return this.text
  }

  #endpoint(hostKey: string, portKey: string): Endpoint | null {
    const host = this.get(hostKey)
    const port = portOf(this.get(portKey))
    return host === undefined || port === 0 ? null : { host: formatAddress(host), port }
  }
}

/** The offsets of the fields in the bytes of a record. */
interface Layout {
  readonly seq: bigint
  readonly keys: string[]
  /** The offsets of the values' headers, and of the ends of the values. */
  readonly values: number[]
  readonly ends: number[]
}

/**
 * Decodes and verifies a record. The record keeps a copy of its bytes, because it outlives the packet that brought it.
 *
 * Strict: at most 300 bytes, canonical RLP throughout, sorted and unique keys, a known scheme, a valid signature, and
 * values of the right shape for the predefined keys.
 */
export function decodeRecord(
  bytes: Uint8Array,
  crypto: Cryptography,
  schemes: IdentitySchemes = standardSchemes,
): Result<NodeRecord, RecordErrorCode> {
  if (bytes.length > MAX_RECORD_BYTES) {
    return refused('ENR_TOO_LARGE', `expected a record of at most ${MAX_RECORD_BYTES} bytes, got ${bytes.length}`)
  }
  const own = bytes.slice()
  try {
    return read(own, crypto, schemes)
  } catch (error) {
    if (error instanceof RlpFault) return refused('ENR_MALFORMED', error.message)
    throw error
  }
}

/** Like `decodeRecord`, for the text form `enr:...`. */
export function parseRecord(
  text: string,
  crypto: Cryptography,
  schemes: IdentitySchemes = standardSchemes,
): Result<NodeRecord, RecordErrorCode> {
  const bytes = recordBytes(text)
  return bytes.ok ? decodeRecord(bytes.value, crypto, schemes) : bytes
}

/** The bytes of the text form, not verified. */
export function recordBytes(text: string): Result<Uint8Array, 'ENR_MALFORMED' | 'ENR_TOO_LARGE'> {
  if (!text.startsWith(PREFIX)) {
    return refused('ENR_MALFORMED', `expected ${PREFIX} and base64url, got ${JSON.stringify(text.slice(0, 12))}`)
  }
  if (text.length > MAX_RECORD_CHARACTERS) {
    return refused('ENR_TOO_LARGE', `expected at most ${MAX_RECORD_CHARACTERS} characters, got ${text.length}`)
  }
  const bytes = fromBase64Url(text.slice(PREFIX.length))
  return bytes.ok ? bytes : refused('ENR_MALFORMED', bytes.detail)
}

function read(bytes: Uint8Array, crypto: Cryptography, schemes: IdentitySchemes): Result<NodeRecord, RecordErrorCode> {
  const reader = new RlpReader(bytes)
  const list = reader.readList()
  reader.finish()
  const signature = list.readBytes()
  const contentStart = list.at
  const layout: Layout = { seq: list.readBigUint(8), keys: [], values: [], ends: [] }
  let previous: Uint8Array | undefined
  while (!list.atEnd) {
    const key = list.readBytes()
    if (previous !== undefined && compareBytes(previous, key) >= 0) {
      return refused(
        'ENR_KEYS_UNSORTED',
        `expected sorted, unique keys, got ${keyText(key)} after ${keyText(previous)}`,
      )
    }
    previous = key
    const start = list.at
    list.skipChecked()
    layout.keys.push(keyText(key))
    layout.values.push(start)
    layout.ends.push(list.at)
  }
  for (const [index, key] of layout.keys.entries()) {
    if (!FIELD_SHAPES.has(key)) continue
    const fault = fieldFault(key, bytes.subarray(layout.values[index], layout.ends[index]))
    if (fault !== undefined) return refused('ENR_FIELD_INVALID', fault)
  }
  const name = stringValue(bytes, layout, 'id')
  if (name === undefined) return refused('ENR_FIELD_INVALID', 'expected an identity scheme (id), got none')
  const scheme = schemes.get(keyText(name))
  if (scheme === undefined)
    return refused('ENR_SCHEME_UNKNOWN', `expected a known identity scheme, got ${keyText(name)}`)

  const claim = {
    signature,
    content: contentOf(bytes, contentStart),
    field: (key: string) => stringValue(bytes, layout, key),
  }
  const identity = scheme.identify(claim, crypto)
  if (!identity.ok) return identity
  if (!scheme.verify(claim, identity.value, crypto)) {
    return refused('ENR_SIGNATURE_INVALID', 'the signature was not made with the key of the record')
  }
  return ok(new NodeRecord(bytes, layout, scheme.name, identity.value))
}

/** The list that the signature covers: all items after the signature, under a header of their own. */
function contentOf(bytes: Uint8Array, start: number): Uint8Array {
  const header = rlpListHeader(bytes.length - start)
  const content = new Uint8Array(header.length + bytes.length - start)
  content.set(header)
  content.set(bytes.subarray(start), header.length)
  return content
}

/** Why an encoded value does not have the shape of its predefined key; undefined if it does. */
export function fieldFault(key: string, item: Uint8Array): string | undefined {
  const shape = FIELD_SHAPES.get(key)
  if (shape === undefined) return undefined
  const reader = new RlpReader(item)
  const value = reader.peekIsList() ? undefined : reader.readBytes()
  if (shape.bytes !== undefined) {
    if (value?.length === shape.bytes) return undefined
    return `expected ${key} of ${shape.bytes} bytes, got ${value?.length ?? 'a list'}`
  }
  if (value !== undefined && value.length <= 2 && value[0] !== 0) return undefined
  return `expected ${key} to be an integer of at most 16 bits without leading zeros`
}

function anyValue(bytes: Uint8Array, layout: Layout, key: string): Uint8Array | undefined {
  const index = layout.keys.indexOf(key)
  if (index < 0) return undefined
  const reader = new RlpReader(bytes, layout.values[index], layout.ends[index])
  return reader.peekIsList() ? reader.rawItem() : reader.readBytes()
}

function stringValue(bytes: Uint8Array, layout: Layout, key: string): Uint8Array | undefined {
  const index = layout.keys.indexOf(key)
  if (index < 0) return undefined
  const reader = new RlpReader(bytes, layout.values[index], layout.ends[index])
  return reader.peekIsList() ? undefined : reader.readBytes()
}

/** One character for each byte, so that every key has a distinct text. */
function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

/** The value of a port's key; 0 if there is none. */
export function portOf(value: Uint8Array | undefined): number {
  let port = 0
  for (const byte of value ?? []) port = port * 256 + byte
  return port
}
