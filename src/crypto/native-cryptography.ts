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
    publicKey: privateKey => base.publicKey(privateKey),
    uncompress: publicKey => base.uncompress(publicKey),
    sign: (digest, privateKey) => base.sign(digest, privateKey),
    verify: (signature, digest, publicKey) => base.verify(signature, digest, publicKey),
    sharedPoint: (publicKey, privateKey) => base.sharedPoint(publicKey, privateKey),
    sha256: data => base.sha256(data),
    hkdfSha256: (inputKey, salt, info, length) => base.hkdfSha256(inputKey, salt, info, length),
    keccak256,
    maskHeader: mask,
    seal,
    open,
  }
}
