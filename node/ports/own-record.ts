import type { Cryptography } from '../../src/crypto/cryptography.ts'
import { LEGACY_PORTAL_KEY } from '../../src/identity/portal-versions.ts'
import { PublishableRecord, portalEntry } from '../../src/identity/publishable-record.ts'
import { MAX_VERSION, MIN_VERSION } from '../../src/portal/wire/version.ts'

/**
 * The record of a node that starts: which versions of the Portal protocol it speaks, and for which chain. Its sequence
 * number is the wall clock: later than any record this key published before, without a file to remember it in.
 *
 * @throws SpimplError `KEY_INVALID`
 */
export function ownRecord(options: {
  readonly privateKey: Uint8Array
  readonly crypto: Cryptography
  readonly chainId: bigint
  readonly wallTimeMs: number
}): PublishableRecord {
  const { privateKey, crypto, chainId, wallTimeMs } = options
  const versions = Uint8Array.from({ length: MAX_VERSION - MIN_VERSION + 1 }, (_, index) => MIN_VERSION + index)
  return new PublishableRecord({
    privateKey,
    crypto,
    seq: BigInt(Math.floor(wallTimeMs)),
    entries: {
      p: portalEntry({ min: MIN_VERSION, max: MAX_VERSION, chainId }),
      [LEGACY_PORTAL_KEY]: versions,
    },
  })
}
