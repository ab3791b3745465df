/**
 * The door `spimpl/enr`: node records (EIP-778), their keys and identity schemes.
 *
 * @example
 * const privateKey = newPrivateKey(systemRandomness(), nodeCryptography)
 * const entries = endpointEntries({ host: '192.0.2.7', port: 9009 })
 * const { current } = new PublishableRecord({ privateKey, crypto: nodeCryptography, entries })
 * unwrap(parseRecord(current.text, nodeCryptography)).endpoint // { host: '192.0.2.7', port: 9009 }
 */
export { type Randomness, seededRandomness, systemRandomness } from 'spimpl-runtime'
export { type ErrorCode, type Result, SpimplError, unwrap } from 'spimpl-runtime/errors'
export type { CipherJob, Cryptography, RecoverableSignature } from '../crypto/cryptography.ts'
export { nodeCryptography } from '../crypto/node-cryptography.ts'
export type { Endpoint } from '../transport/datagram.ts'
export { compareDistance, logDistance, MAX_DISTANCE, xorDistance } from './distances.ts'
export type { Identity, IdentityScheme, IdentitySchemes, RecordClaim } from './identity.ts'
export { formatAddress, parseAddress } from './ip-address.ts'
export { isPrivateKey, newPrivateKey, parsePrivateKey } from './keys.ts'
export {
  decodeRecord,
  MAX_RECORD_BYTES,
  MAX_RECORD_CHARACTERS,
  NodeRecord,
  parseRecord,
  type RecordErrorCode,
} from './node-record.ts'
export {
  decodeLegacyVersions,
  decodePortalVersions,
  LEGACY_PORTAL_KEY,
  PORTAL_KEY,
  type PortalVersions,
} from './portal-versions.ts'
export {
  endpointEntries,
  PublishableRecord,
  portalEntry,
  type RecordChanges,
  type RecordValue,
} from './publishable-record.ts'
export { DEFAULT_REMEMBERED_RECORDS, RecordDecoder } from './record-decoder.ts'
export { standardSchemes, v4 } from './v4.ts'
