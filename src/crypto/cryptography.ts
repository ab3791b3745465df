/**
 * The cryptography port: what discovery, records and transactions need, with nothing of how it is done.
 * `nodeCryptography` is the embedded default; the addon brings a native one. One conformance suite runs on every one.
 */
export interface Cryptography {
  /** The compressed public key (33 bytes) of a secp256k1 private key (32 bytes). Throws KEY_INVALID. */
  publicKey(privateKey: Uint8Array): Uint8Array
  /** x and y (64 bytes, no prefix) of a compressed public key; undefined where it is no point of the curve. */
  uncompress(publicKey: Uint8Array): Uint8Array | undefined
  /** r and s (64 bytes, s in the lower half) over a digest of 32 bytes, deterministic (RFC 6979). */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** False for anything malformed: never throws on network input. */
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  /** As `sign`, with the bit (0 or 1) that says which of two points r belongs to: transactions carry it. */
  signRecoverable(digest: Uint8Array, privateKey: Uint8Array): RecoverableSignature
  /**
   * x and y (64 bytes, no prefix) of the key that signed, or undefined where no key did. Unlike `verify` it takes s of both
   * halves, as transactions from before EIP-2 need.
   * @param recovery 0 or 1
   */
  recover(signature: Uint8Array, recovery: number, digest: Uint8Array): Uint8Array | undefined
  /** The compressed shared point (33 bytes), as discv5's handshake wants it; undefined where the key is no point. */
  sharedPoint(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array | undefined
  sha256(data: Uint8Array): Uint8Array
  keccak256(data: Uint8Array): Uint8Array
  hkdfSha256(inputKey: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** AES-128-CTR over `data` with an IV of 16 bytes; the same call masks and unmasks. */
  maskHeader(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array
  /** AES-128-GCM: ciphertext followed by the tag of 16 bytes, one answer for each job, in order. */
  seal(jobs: readonly CipherJob[]): Uint8Array[]
  /** The plaintext of each job, or undefined where the tag does not hold. */
  open(jobs: readonly CipherJob[]): (Uint8Array | undefined)[]
}

/** An ECDSA signature with the bit that tells which of two public keys made it (SEC 1, 4.1.6). */
export interface RecoverableSignature {
  /** r and s, 64 bytes, s in the lower half. */
  readonly signature: Uint8Array
  readonly recovery: 0 | 1
}

/** One message of a batch. `data` is the plaintext to seal, or the ciphertext with its tag to open. */
export interface CipherJob {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly associatedData: Uint8Array
  readonly data: Uint8Array
}
