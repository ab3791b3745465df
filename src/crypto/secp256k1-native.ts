import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Secp256k1 } from './secp256k1.ts'
import { checkPrivateKey, isCompressedPoint, isDigest, isSignature } from './shapes.ts'

/** The parts that we use of the optional npm package `secp256k1`, which ships no types. */
interface Binding {
  contextRandomize(seed: Uint8Array): void
  privateKeyVerify(privateKey: Uint8Array): boolean
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdh(
    publicKey: Uint8Array,
    privateKey: Uint8Array,
    options: { hashfn: (x: Uint8Array, y: Uint8Array) => Uint8Array },
    output: Uint8Array,
  ): Uint8Array
}

/** libsecp256k1; undefined if no compiled build of it loads on this machine. */
export function nativeSecp256k1(): Secp256k1 | undefined {
  try {
    // Not the package's main file, which silently falls back to a slow JavaScript curve.
    return adapt(createRequire(import.meta.url)('secp256k1/bindings.js') as Binding)
  } catch {
    return undefined
  }
}

function adapt(binding: Binding): Secp256k1 {
  // Blinds multiplications with a private key against timing and power analysis (secp256k1.h). Results do not change.
  binding.contextRandomize(randomBytes(32))
  const inRange = (privateKey: Uint8Array): boolean => binding.privateKeyVerify(privateKey)
  return {
    name: 'libsecp256k1',
    publicKey(privateKey) {
      checkPrivateKey(privateKey, inRange)
      return binding.publicKeyCreate(privateKey, true)
    },
    uncompress(publicKey) {
      if (!isCompressedPoint(publicKey)) return undefined
      try {
        return binding.publicKeyConvert(publicKey, false).subarray(1)
      } catch {
        return undefined
      }
    },
    sign(digest, privateKey) {
      checkPrivateKey(privateKey, inRange)
      const { signature, recid } = binding.ecdsaSign(digest, privateKey)
      return { signature, recovery: recid === 0 ? 0 : 1 }
    },
    verify(signature, digest, publicKey) {
      if (!isSignature(signature) || !isDigest(digest) || !isCompressedPoint(publicKey)) return false
      try {
        return binding.ecdsaVerify(signature, digest, publicKey)
      } catch {
        return false
      }
    },
    recover(signature, recovery, digest) {
      if (!isSignature(signature) || !isDigest(digest) || (recovery !== 0 && recovery !== 1)) return undefined
      try {
        return binding.ecdsaRecover(signature, recovery, digest, false).subarray(1)
      } catch {
        return undefined
      }
    },
    sharedPoint(publicKey, privateKey) {
      checkPrivateKey(privateKey, inRange)
      if (!isCompressedPoint(publicKey)) return undefined
      try {
        return binding.ecdh(publicKey, privateKey, { hashfn: compress }, new Uint8Array(33))
      } catch {
        return undefined
      }
    },
  }
}

/** The shared point itself, which the library would hash by default. */
function compress(x: Uint8Array, y: Uint8Array): Uint8Array {
  const point = new Uint8Array(33)
  point[0] = 2 + (y[31]! & 1)
  point.set(x, 1)
  return point
}
