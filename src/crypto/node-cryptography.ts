import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import type { CipherJob, Cryptography } from './cryptography.ts'
import { keccak256 } from './keccak.ts'
import type { Secp256k1 } from './secp256k1.ts'
import { nativeSecp256k1 } from './secp256k1-native.ts'
import { nobleSecp256k1 } from './secp256k1-noble.ts'

/** Bytes of the authentication tag that ends every sealed message. */
export const TAG_BYTES = 16

const GCM = 'aes-128-gcm'
const gcmOptions = { authTagLength: TAG_BYTES } as const

/** Cryptography with node:crypto and the given curve. */
export function createNodeCryptography(curve: Secp256k1): Cryptography {
  return {
    publicKey: curve.publicKey,
    uncompress: curve.uncompress,
    sign: (digest, privateKey) => curve.sign(digest, privateKey).signature,
    signRecoverable: curve.sign,
    verify: curve.verify,
    recover: curve.recover,
    sharedPoint: curve.sharedPoint,
    sha256: data => plain(createHash('sha256').update(data).digest()),
    keccak256,
    hkdfSha256: (inputKey, salt, info, length) => new Uint8Array(hkdfSync('sha256', inputKey, salt, info, length)),
    maskHeader: (key, iv, data) => plain(createCipheriv('aes-128-ctr', key, iv).update(data)),
    seal: jobs => jobs.map(seal),
    open: jobs => jobs.map(open),
  }
}

/** The curve of the embedded default: libsecp256k1 if it loads, otherwise JavaScript. */
export const defaultSecp256k1: Secp256k1 = nativeSecp256k1() ?? nobleSecp256k1

/** The embedded default. */
export const nodeCryptography: Cryptography = createNodeCryptography(defaultSecp256k1)

function seal(job: CipherJob): Uint8Array {
  const cipher = createCipheriv(GCM, job.key, job.nonce, gcmOptions)
  cipher.setAAD(job.associatedData)
  const sealed = new Uint8Array(job.data.length + TAG_BYTES)
  sealed.set(cipher.update(job.data))
  cipher.final() // GCM is a stream mode, so no bytes are left, but the tag exists only after this call
  sealed.set(cipher.getAuthTag(), job.data.length)
  return sealed
}

function open(job: CipherJob): Uint8Array | undefined {
  const length = job.data.length - TAG_BYTES
  if (length < 0) return undefined
  const decipher = createDecipheriv(GCM, job.key, job.nonce, gcmOptions)
  decipher.setAAD(job.associatedData)
  decipher.setAuthTag(job.data.subarray(length))
  const opened = plain(decipher.update(job.data.subarray(0, length)))
  try {
    decipher.final()
    return opened
  } catch {
    return undefined
  }
}

/** The same bytes as a Uint8Array, whose `slice` copies; that of Buffer does not. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
