import { readFileSync } from 'node:fs'
import { type Randomness, systemRandomness } from 'spimpl-runtime'
import { NETWORKS } from '../node/options/networks.ts'
import { toHex } from '../src/codec/hex.ts'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { SpimplError } from '../src/errors.ts'
import type { IdentityScheme } from '../src/identity/identity.ts'
import { formatAddress, parseAddress } from '../src/identity/ip-address.ts'
import { newPrivateKey, parsePrivateKey } from '../src/identity/keys.ts'
import { type NodeRecord, parseRecord, portOf } from '../src/identity/node-record.ts'
import { LEGACY_PORTAL_KEY, PORTAL_KEY } from '../src/identity/portal-versions.ts'
import { PublishableRecord, portalEntry, type RecordValue } from '../src/identity/publishable-record.ts'
import { standardSchemes } from '../src/identity/v4.ts'
import { MAX_VERSION, MIN_VERSION } from '../src/portal/wire/version.ts'

/** What `spimpl enr decode` prints of a record. `--json` prints it as it stands, without undefined members. */
export interface EnrDescription {
  /** Decimal: a uint64 exceeds the range of a JSON number. */
  readonly seq: string
  readonly nodeId: string
  readonly scheme: string
  readonly publicKey: string
  readonly signatureValid: boolean
  readonly ip: string | undefined
  readonly udp: number | undefined
  readonly tcp: number | undefined
  readonly ip6: string | undefined
  readonly udp6: number | undefined
  readonly tcp6: number | undefined
  /** Undefined if the record has no Portal entry, or a malformed one. */
  readonly portal: { readonly min: number; readonly max: number; readonly chainId: string | undefined } | undefined
  /** Every other key, and its value in hex: the bytes of a string, or a list with its header. */
  readonly other: Readonly<Record<string, string>>
  /** Length of the encoding. */
  readonly bytes: number
}

/** The flags of `spimpl enr new`, as the user wrote them. */
export interface NewEnrOptions {
  /** 64 hexadecimal digits, or `@` and the name of a file that holds them. Undefined: a new key is made and printed. */
  readonly privateKey?: string | undefined
  readonly seq?: string | undefined
  readonly ip?: string | undefined
  readonly udp?: string | undefined
  readonly tcp?: string | undefined
  readonly ip6?: string | undefined
  readonly udp6?: string | undefined
  readonly tcp6?: string | undefined
  /** The chain whose Portal Network the record announces. Undefined: the record has no Portal entry. */
  readonly network?: string | undefined
}

export interface NewEnr {
  readonly text: string
  readonly nodeId: string
  /** In hex, only if it was made here: a key that the user passed in is not repeated. */
  readonly privateKey: string | undefined
}

/**
 * Describes a record as text for people, or with `json` as one line of JSON. A wrong signature is reported and not
 * refused: somebody who decodes a record by hand wants to see its content.
 *
 * @throws SpimplError with an ENR_ code that says what is wrong with the text
 */
export function decodeEnr(text: string, options: { readonly json?: boolean } = {}): string {
  const description = describeEnr(text)
  return options.json === true ? JSON.stringify(description) : formatDescription(description)
}

/** The facts that `decodeEnr` prints, as data. */
export function describeEnr(text: string): EnrDescription {
  const trimmed = text.trim()
  let signatureValid = true
  const tolerant = (scheme: IdentityScheme): IdentityScheme => ({
    ...scheme,
    verify(claim, identity, crypto) {
      signatureValid = scheme.verify(claim, identity, crypto)
      return true
    },
  })
  const schemes = new Map([...standardSchemes].map(([name, scheme]) => [name, tolerant(scheme)]))
  const record = parseRecord(trimmed, nodeCryptography, schemes)
  if (!record.ok) throw new SpimplError(record.code, `${record.detail} (in ${excerpt(trimmed)})`)
  return describe(record.value, signatureValid)
}

/**
 * Makes and signs a record.
 *
 * @throws SpimplError `KEY_INVALID` for the private key, without repeating it; `USAGE` for any other value, naming it
 */
export function newEnr(
  options: NewEnrOptions,
  randomness: Randomness = systemRandomness(),
  readFile: (path: string) => string = path => readFileSync(path, 'utf8'),
): NewEnr {
  const made = options.privateKey === undefined ? newPrivateKey(randomness, nodeCryptography) : undefined
  const privateKey = made ?? readPrivateKey(options.privateKey ?? '', readFile)
  const entries: Record<string, RecordValue> = {}
  const put = <T extends RecordValue>(
    key: keyof NewEnrOptions & string,
    read: (flag: string, text: string) => T,
  ): void => {
    const text = options[key]
    if (text !== undefined) entries[key] = read(`--${key}`, text)
  }
  put('ip', (flag, text) => readAddress(flag, text, 4))
  put('ip6', (flag, text) => readAddress(flag, text, 16))
  for (const key of ['udp', 'tcp', 'udp6', 'tcp6'] as const) put(key, readPort)
  if (options.network !== undefined) {
    entries[PORTAL_KEY] = portalEntry({
      min: MIN_VERSION,
      max: MAX_VERSION,
      chainId: readChain(options.network),
    })
  }
  const record = new PublishableRecord({
    privateKey,
    crypto: nodeCryptography,
    entries,
    seq: options.seq === undefined ? 1n : readSeq(options.seq),
  }).current
  return { text: record.text, nodeId: record.nodeIdHex, privateKey: made && toHex(made) }
}

/** Keys with a member of their own in a description. */
const DESCRIBED = new Set(['id', 'secp256k1', 'ip', 'udp', 'tcp', 'ip6', 'udp6', 'tcp6'])

function describe(record: NodeRecord, signatureValid: boolean): EnrDescription {
  const address = (key: string): string | undefined => {
    const value = record.get(key)
    return value && formatAddress(value)
  }
  const port = (key: string): number | undefined => {
    const value = record.get(key)
    return value && portOf(value)
  }
  const { portal } = record
  // A malformed Portal entry is shown here, among the other keys.
  const other = [...record.entries()].filter(
    ([key]) => !DESCRIBED.has(key) && (portal === undefined || (key !== PORTAL_KEY && key !== LEGACY_PORTAL_KEY)),
  )
  return {
    seq: String(record.seq),
    nodeId: record.nodeIdHex,
    scheme: record.scheme,
    publicKey: toHex(record.publicKey),
    signatureValid,
    ip: address('ip'),
    udp: port('udp'),
    tcp: port('tcp'),
    ip6: address('ip6'),
    udp6: port('udp6'),
    tcp6: port('tcp6'),
    portal: portal && { min: portal.min, max: portal.max, chainId: portal.chainId?.toString() },
    other: Object.fromEntries(other.map(([key, value]) => [key, toHex(value)])),
    bytes: record.bytes.length,
  }
}

function formatDescription(description: EnrDescription): string {
  const { portal, other, signatureValid, bytes, nodeId, publicKey, ...plain } = description
  const versions =
    portal && (portal.min === portal.max ? `version ${portal.min}` : `versions ${portal.min} to ${portal.max}`)
  const rows: [string, string | number | undefined][] = [
    ['node id', nodeId],
    ['seq', plain.seq],
    ['signature', signatureValid ? 'valid' : 'INVALID: not made with the key of the record'],
    ['scheme', plain.scheme],
    ['public key', publicKey],
    ['ip', plain.ip],
    ['udp', plain.udp],
    ['tcp', plain.tcp],
    ['ip6', plain.ip6],
    ['udp6', plain.udp6],
    ['tcp6', plain.tcp6],
    ['portal', versions && (portal?.chainId === undefined ? versions : `${versions}, chain ${portal.chainId}`)],
    ...Object.entries(other).map(([key, value]): [string, string] => [printable(key), value]),
    ['size', `${bytes} bytes`],
  ]
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(12)}${value}`)
    .join('\n')
}

function readPrivateKey(text: string, readFile: (path: string) => string): Uint8Array {
  if (!text.startsWith('@')) return parseKey('--private-key', text)
  const file = text.slice(1)
  let content: string
  try {
    content = readFile(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SpimplError('KEY_INVALID', `--private-key: expected a readable file, got @${file}: ${reason}`, { cause })
  }
  return parseKey(`--private-key @${file}`, content)
}

function parseKey(where: string, text: string): Uint8Array {
  try {
    return parsePrivateKey(text, nodeCryptography)
  } catch (error) {
    if (error instanceof SpimplError) throw new SpimplError(error.code, `${where}: ${error.message}`, { cause: error })
    throw error
  }
}

function readAddress(flag: string, text: string, length: number): Uint8Array {
  const address = parseAddress(text)
  if (address?.length === length) return address
  throw wrong(flag, `an IPv${length === 4 ? 4 : 6} address`, text)
}

function readPort(flag: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw wrong(flag, 'a port from 1 to 65535', text)
}

function readChain(text: string): bigint {
  const found = Object.values(NETWORKS).find(({ name }) => name === text)
  if (found !== undefined) return found.chainId
  throw wrong('--network', `one of ${Object.keys(NETWORKS).join(', ')}`, text)
}

function readSeq(text: string): bigint {
  const seq = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined
  if (seq !== undefined && seq < 2n ** 64n) return seq
  throw wrong('--seq', 'an integer of 64 bits', text)
}

function wrong(flag: string, expected: string, text: string): SpimplError {
  return new SpimplError('USAGE', `${flag}: expected ${expected}, got ${excerpt(text)}`)
}

const EXCERPT_CHARACTERS = 40

function excerpt(text: string): string {
  return JSON.stringify(text.length > EXCERPT_CHARACTERS ? `${text.slice(0, EXCERPT_CHARACTERS)}...` : text)
}

/** A key may be any bytes; a terminal must not act on them. */
function printable(key: string): string {
  return /^[\x21-\x7e]+$/.test(key) ? key : toHex(Uint8Array.from(key, character => character.charCodeAt(0)))
}
