/**
 * The cryptography port of discovery, records and transactions. `nodeCryptography` is the embedded default;
 * `nativeCryptography` uses the addon. One conformance suite runs on every implementation.
 */
export interface Cryptography {
  /** The compressed public key (33 bytes) of a secp256k1 private key (32 bytes). Throws KEY_INVALID. */
  publicKey(privateKey: Uint8Array): Uint8Array
  /** x and y (64 bytes, no prefix) of a compressed public key; undefined if it is no point of the curve. */
  uncompress(publicKey: Uint8Array): Uint8Array | undefined
  /** Signs a digest of 32 bytes, deterministically (RFC 6979): r and s, 64 bytes, s in the lower half. */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** False for malformed input as well: it never throws on input from the network. */
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  /** Like `sign`, with the bit (0 or 1) that says which of two points r belongs to, as transactions carry it. */
  signRecoverable(digest: Uint8Array, privateKey: Uint8Array): RecoverableSignature
  /**
   * x and y (64 bytes, no prefix) of the key that made the signature; undefined if no key did. Unlike `verify` it
   * accepts s in both halves, as transactions from before EIP-2 require.
   *
   * @param recovery 0 or 1
   */
  recover(signature: Uint8Array, recovery: number, digest: Uint8Array): Uint8Array | undefined
  /**
   * The compressed shared point (33 bytes) of discv5's handshake; undefined if the public key is no point of the curve.
   */
  sharedPoint(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array | undefined
  sha256(data: Uint8Array): Uint8Array
  keccak256(data: Uint8Array): Uint8Array
  hkdfSha256(inputKey: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** AES-128-CTR over `data` with an IV of 16 bytes; the same call masks and unmasks. */
  maskHeader(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array
  /** AES-128-GCM: the ciphertext and the tag of 16 bytes of each job, in order. */
  seal(jobs: readonly CipherJob[]): Uint8Array[]
  /** The plaintext of each job; undefined if its tag is wrong. */
  open(jobs: readonly CipherJob[]): (Uint8Array | undefined)[]
}

/** An ECDSA signature with the bit that says which of two public keys made it (SEC 1, 4.1.6). */
export interface RecoverableSignature {
  /** r and s, 64 bytes, s in the lower half. */
  readonly signature: Uint8Array
  readonly recovery: 0 | 1
}

/** One message of a batch. `data` is the plaintext to seal, or the ciphertext and tag to open. */
export interface CipherJob {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly associatedData: Uint8Array
  readonly data: Uint8Array
}
