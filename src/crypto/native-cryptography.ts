import { cipher } from 'node-dispatch-addon'
import type { Cryptography } from './cryptography.ts'

/**
 * The cryptography port with what pays natively: batches of AES-128-GCM in one Node-API call, header masks, keccak-256.
 * Everything else stays with `base`. Where the addon is not there, the answer is `base` itself.
 *
 * @example
 * const crypto = nativeCryptography(nodeCryptography)
 */
export function nativeCryptography(base: Cryptography): Cryptography {
  if (cipher === undefined) return base
  const { seal, open, mask, keccak256 } = cipher
  return {
    ...base,
    keccak256,
    maskHeader: mask,
    seal,
    open,
  }
}
