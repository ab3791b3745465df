/**
 * The door `spimpl/discv5`: Node Discovery v5.1 as a core, with the records, keys, cryptography and randomness that it
 * is built from. It opens no socket and starts no timer: its owner brings datagrams and the present moment.
 * `spimpl/node` has it as an actor.
 */
export { type Randomness, seededRandomness, systemRandomness } from 'spimpl-runtime'
export type { Core } from 'spimpl-runtime/core'
export { type ErrorCode, type Result, SpimplError, unwrap } from 'spimpl-runtime/errors'
export type { CipherJob, Cryptography, RecoverableSignature } from '../crypto/cryptography.ts'
export { nodeCryptography } from '../crypto/node-cryptography.ts'
export {
  type DiscoveryInput,
  type DiscoveryOptions,
  type DiscoveryOutput,
  type DiscoverySnapshot,
  Discv5,
  type SessionSnapshot,
  type TalkToken,
} from '../discv5/discv5.ts'
export type { DiscoveryLimits } from '../discv5/limits.ts'
export { newPrivateKey } from '../identity/keys.ts'
export { NodeRecord, parseRecord } from '../identity/node-record.ts'
export {
  endpointEntries,
  PublishableRecord,
  type RecordChanges,
  type RecordValue,
} from '../identity/publishable-record.ts'
export type { Datagram, Endpoint } from '../transport/datagram.ts'
