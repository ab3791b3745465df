/** The door `spimpl/enr`: node records (EIP-778), their keys and identity schemes. */
export type { Cryptography } from '../crypto/cryptography.ts'
export { nodeCryptography } from '../crypto/node-cryptography.ts'
export { isPrivateKey, newPrivateKey } from './keys.ts'
export * from './node-record.ts'
export * from './publishable-record.ts'
export { RecordDecoder } from './record-decoder.ts'
