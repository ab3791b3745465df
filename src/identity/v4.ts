import type { Cryptography } from '../crypto/cryptography.ts'
import { ok, refused } from '../errors.ts'
import type { IdentityScheme, IdentitySchemes } from './identity.ts'

/** The key of the public key in a v4 record. */
const V4_PUBLIC_KEY = 'secp256k1'

/** The scheme of EIP-778: ECDSA on secp256k1 over keccak-256; the node id is the keccak-256 of the public key. */
export const v4: IdentityScheme = {
  name: 'v4',
  signatureBytes: 64,
  entries: (privateKey, crypto) => ({ [V4_PUBLIC_KEY]: crypto.publicKey(privateKey) }),
  sign: (content, privateKey, crypto) => crypto.sign(crypto.keccak256(content), privateKey),
  identify(claim, crypto) {
    const publicKey = claim.field(V4_PUBLIC_KEY)
    if (publicKey?.length !== 33) {
      return refused('ENR_FIELD_INVALID', `expected ${V4_PUBLIC_KEY} of 33 bytes, got ${publicKey?.length ?? 'none'}`)
    }
    const nodeId = v4NodeId(publicKey, crypto)
    if (nodeId === undefined) {
      return refused('ENR_FIELD_INVALID', `expected ${V4_PUBLIC_KEY} to be a point of the curve`)
    }
    return ok({ publicKey, nodeId })
  },
  verify: (claim, identity, crypto) =>
    crypto.verify(claim.signature, crypto.keccak256(claim.content), identity.publicKey),
}

/** The node id of a compressed public key; undefined if the key is no point of the curve. */
function v4NodeId(publicKey: Uint8Array, crypto: Cryptography): Uint8Array | undefined {
  const point = crypto.uncompress(publicKey)
  return point === undefined ? undefined : crypto.keccak256(point)
}

/** The default schemes of decoders. */
export const standardSchemes: IdentitySchemes = new Map([[v4.name, v4]])
