import { createHash } from 'node:crypto'
import { nodeCryptography } from '../../../src/crypto/node-cryptography.ts'
import { encodePortalVersions } from '../../../src/identity/portal-versions.ts'
import { PublishableRecord } from '../../../src/identity/publishable-record.ts'
import { RecordDecoder } from '../../../src/identity/record-decoder.ts'

/** The sub-network of the tests: its protocol id, keys, content and records. */

export const PROTOCOL = Uint8Array.of(0x50, 0x00)

/** Keys of the test's sub-network: nine bytes, of which the first is 0 or 1. */
export const contentIdOf = (key: Uint8Array): Uint8Array | undefined =>
  key.length === 9 && key[0]! <= 1 ? new Uint8Array(createHash('sha256').update(key).digest()) : undefined

export function keyOf(number: number, kind = 0): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = kind
  new DataView(key.buffer).setUint32(1, number, true)
  return key
}

/** Content is valid when it begins with its key. */
export function contentOf(key: Uint8Array, length: number): Uint8Array {
  const content = new Uint8Array(length).fill(length & 0xff)
  content.set(key)
  return content
}

export const isValid = (key: Uint8Array, content: Uint8Array): boolean => key.every((byte, at) => content[at] === byte)

export interface Versions {
  readonly min: number
  readonly max: number
  readonly chainId: bigint | undefined
}

/** The record of a node: `p` where there is a chain, the older `pv` where there is none. */
export function recordOf(number: number, versions: Versions | undefined): PublishableRecord {
  const privateKey = new Uint8Array(createHash('sha256').update(`node ${number}`).digest())
  const entries =
    versions === undefined
      ? {}
      : versions.chainId !== undefined
        ? { p: { rlp: encodePortalVersions({ ...versions, chainId: versions.chainId }) } }
        : { pv: Uint8Array.from({ length: versions.max - versions.min + 1 }, (_, index) => versions.min + index) }
  return new PublishableRecord({
    privateKey,
    crypto: nodeCryptography,
    entries: { ip: Uint8Array.of(127, 0, 0, 1), udp: 10_000 + number, ...entries },
  })
}

export const decoder = new RecordDecoder({ crypto: nodeCryptography, capacity: 4096 })

export const MAINNET: Versions = { min: 0, max: 2, chainId: 1n }
