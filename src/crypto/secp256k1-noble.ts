import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as noble from '@noble/secp256k1'
import type { Secp256k1 } from './secp256k1.ts'
import { checkPrivateKey, isCompressedPoint, isDigest, isSignature } from './shapes.ts'

// Version 3 contains no hashes; its synchronous signer uses these (RFC 6979 requires both).
noble.hashes.sha256 = sha256
noble.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message)

/** The message is a digest already: Ethereum hashes with keccak-256, and the library would hash with SHA-256. */
const ofDigest = { prehash: false } as const

/** The curve in JavaScript, for machines where libsecp256k1 does not load. */
export const nobleSecp256k1: Secp256k1 = {
  name: 'noble',
  publicKey(privateKey) {
    checkPrivateKey(privateKey, noble.utils.isValidSecretKey)
    return noble.getPublicKey(privateKey, true)
  },
  uncompress(publicKey) {
    if (!isCompressedPoint(publicKey)) return undefined
    try {
      return noble.Point.fromBytes(publicKey).toBytes(false).subarray(1)
    } catch {
      return undefined
    }
  },
  sign(digest, privateKey) {
    checkPrivateKey(privateKey, noble.utils.isValidSecretKey)
    const signed = noble.sign(digest, privateKey, { ...ofDigest, format: 'recovered' })
    return { signature: signed.slice(1), recovery: signed[0] === 0 ? 0 : 1 }
  },
  verify(signature, digest, publicKey) {
    if (!isSignature(signature) || !isDigest(digest) || !isCompressedPoint(publicKey)) return false
    try {
      return noble.verify(signature, digest, publicKey, ofDigest)
    } catch {
      return false
    }
  },
  recover(signature, recovery, digest) {
    if (!isSignature(signature) || !isDigest(digest) || (recovery !== 0 && recovery !== 1)) return undefined
    const withBit = new Uint8Array(65)
    withBit[0] = recovery
    withBit.set(signature, 1)
    try {
      const compressed = noble.recoverPublicKey(withBit, digest, ofDigest)
      return noble.Point.fromBytes(compressed).toBytes(false).subarray(1)
    } catch {
      return undefined
    }
  },
  sharedPoint(publicKey, privateKey) {
    checkPrivateKey(privateKey, noble.utils.isValidSecretKey)
    if (!isCompressedPoint(publicKey)) return undefined
    try {
      return noble.getSharedSecret(privateKey, publicKey, true)
    } catch {
      return undefined
    }
  },
}
