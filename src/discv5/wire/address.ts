import { formatAddress, parseAddress } from '../../identity/ip-address.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'

const MAPPED_PREFIX = '::ffff:'

/** How far an address reaches. A record is relayed only to nodes that may reach its address. */
export type AddressScope = 'loopback' | 'private' | 'global' | 'unusable'

/**
 * The 4 or 16 bytes of a literal address; undefined for any other text. A zone (`%eth0`) is dropped. An IPv4 address
 * mapped into IPv6, as a dual-stack socket reports it, is IPv4: a peer must see one address, not two.
 */
export function addressBytes(host: string): Uint8Array | undefined {
  const zone = host.indexOf('%')
  const bytes = parseAddress(zone < 0 ? host : host.slice(0, zone))
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes
}

/** The text of an address of 4 or 16 bytes; a mapped IPv4 address as IPv4. */
export function addressText(bytes: Uint8Array): string {
  return formatAddress(isMapped(bytes) ? bytes.subarray(12) : bytes)
}

/** The scope of an address (RFC 6890). Multicast, the unspecified address and other text are unusable. */
export function addressScope(host: string): AddressScope {
  const bytes = addressBytes(host)
  if (bytes === undefined) return 'unusable'
  return bytes.length === 4 ? scope4(bytes) : scope6(bytes)
}

/**
 * Whether a node at `source` may relay the record of a node at `subject`. A distant node cannot know our loopback or
 * our private network: by relaying such an address it would make us attack ourselves.
 */
export function mayRelay(source: string, subject: string): boolean {
  const subjectScope = addressScope(subject)
  if (subjectScope === 'global') return true
  if (subjectScope === 'unusable') return false
  const sourceScope = addressScope(source)
  return sourceScope === 'loopback' || sourceScope === subjectScope
}

/** The /24 (IPv4) or /64 (IPv6) of an address, as a key for limits: one owner rarely has many of them. */
export function subnetKey(host: string): string {
  const bytes = addressBytes(host)
  return bytes === undefined ? host : bytes.subarray(0, bytes.length === 4 ? 3 : 8).join('.')
}

/** The key of a rate: an IPv4 address, or the /64 of an IPv6 address, which has one owner. */
export function rateKey(host: string): string {
  if (!host.includes(':')) return host
  const bytes = addressBytes(host)
  return bytes?.length === 4 ? addressText(bytes) : subnetKey(host)
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && (a.host === b.host || plainHost(a.host) === plainHost(b.host))
}

/** Whether a record advertises this endpoint. */
export function isAt({ endpoint4, endpoint6 }: NodeRecord, endpoint: Endpoint): boolean {
  return [endpoint4, endpoint6].some(advertised => advertised !== undefined && sameEndpoint(advertised, endpoint))
}

/** The host as IPv4 if it is an IPv4 address mapped into IPv6: both are the same endpoint. */
export function plainHost(host: string): string {
  return host.startsWith(MAPPED_PREFIX) ? host.slice(MAPPED_PREFIX.length) : host
}

function scope4(bytes: Uint8Array): AddressScope {
  const first = bytes[0]!
  const second = bytes[1]!
  if (first === 127) return 'loopback'
  if (first === 0 || first >= 224) return 'unusable'
  const isPrivate =
    first === 10 ||
    (first === 192 && second === 168) ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second < 128)
  return isPrivate ? 'private' : 'global'
}

function scope6(bytes: Uint8Array): AddressScope {
  const first = bytes[0]!
  if (bytes.subarray(0, 15).every(byte => byte === 0)) return bytes[15] === 1 ? 'loopback' : 'unusable'
  if (first === 0xff) return 'unusable'
  const isLinkLocal = first === 0xfe && (bytes[1]! & 0xc0) === 0x80
  return isLinkLocal || (first & 0xfe) === 0xfc ? 'private' : 'global'
}

function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false
  return bytes.subarray(0, 10).every(byte => byte === 0)
}
