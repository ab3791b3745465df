import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fromHex } from '../../src/codec/hex.ts'
import type { Cryptography } from '../../src/crypto/cryptography.ts'
import { unwrap } from '../../src/errors.ts'

/** What project Wycheproof's files and the cryptography port have in common, and the adapters between the two. */
export interface WycheproofTest {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly [field: string]: unknown
}

export interface WycheproofGroup {
  readonly tests: readonly WycheproofTest[]
  readonly publicKey?: { readonly uncompressed: string }
  readonly [field: string]: unknown
}

export function wycheproofGroups(directory: string, name: string): readonly WycheproofGroup[] {
  const file = path.join(directory, 'wycheproof', `${name}_test.json`)
  return (JSON.parse(readFileSync(file, 'utf8')) as { testGroups: WycheproofGroup[] }).testGroups
}

/** A field in hex. */
export const field = (test: WycheproofTest, name: string): Uint8Array => unwrap(fromHex(`0x${test[name]}`))

/** The port takes compressed keys; this refuses points off the curve, as compression alone would not. */
export function compress(point: Uint8Array, crypto: Cryptography): Uint8Array | undefined {
  if (point.length === 33) return point
  if (point.length !== 65 || point[0] !== 4) return undefined
  const compressed = Uint8Array.of(2 + (point[64]! & 1), ...point.subarray(1, 33))
  const back = crypto.uncompress(compressed)
  return back !== undefined && Buffer.compare(back, point.subarray(1)) === 0 ? compressed : undefined
}

const SPKI_UNCOMPRESSED = '3056301006072a8648ce3d020106052b8104000a034200'
const SPKI_COMPRESSED = '3036301006072a8648ce3d020106052b8104000a032200'

/** The point of a SubjectPublicKeyInfo for secp256k1 in its one DER form; anything else is refused. */
export function spkiPoint(spki: string): Uint8Array | undefined {
  for (const [prefix, length] of [
    [SPKI_UNCOMPRESSED, 65],
    [SPKI_COMPRESSED, 33],
  ] as const) {
    if (spki.startsWith(prefix) && spki.length === prefix.length + 2 * length) {
      return unwrap(fromHex(`0x${spki.slice(prefix.length)}`))
    }
  }
  return undefined
}

/** r and s of a signature in strict DER (BIP 66), or undefined. */
export function derSignature(der: Uint8Array): Uint8Array | undefined {
  const compact = new Uint8Array(64)
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der[1] >= 0x80) return undefined
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1]
    if (der[at] !== 0x02 || length === undefined || length === 0 || at + 2 + length > der.length) return undefined
    let value = der.subarray(at + 2, at + 2 + length)
    if (value[0]! >= 0x80) return undefined
    if (value[0] === 0 && value.length > 1) {
      if (value[1]! < 0x80) return undefined
      value = value.subarray(1)
    }
    if (value.length > 32) return undefined
    compact.set(value, end - value.length)
    at += 2 + length
  }
  return at === der.length ? compact : undefined
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The mirror image with s in the lower half, which is valid exactly where the signature is. */
export function lowS(signature: Uint8Array): Uint8Array {
  if (signature.length !== 64) return signature
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`)
  if (s <= ORDER / 2n || s >= ORDER) return signature
  const mirrored = signature.slice()
  mirrored.set(Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex'), 32)
  return mirrored
}

/** A private key as the port takes it: 32 bytes, from an integer in two's complement of any length. */
export function scalar(bytes: Uint8Array): Uint8Array {
  const digits = bytes[0] === 0 && bytes.length === 33 ? bytes.subarray(1) : bytes
  const padded = new Uint8Array(32)
  padded.set(digits, 32 - digits.length)
  return padded
}
