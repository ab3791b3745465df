/** One message of a batch. `data` is the plaintext to seal, or the ciphertext with its tag of 16 bytes to open. */
export interface CipherJob {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly associatedData: Uint8Array
  readonly data: Uint8Array
}

/**
 * Ciphers for many small messages, on the calling thread, one Node-API call for a batch. The OpenSSL behind it is the one
 * that node itself exports. Results of a batch are cut from shared slabs: keep them, change them, but transfer none of
 * their buffers to another thread.
 *
 * @example
 * const [sealed] = cipher.seal([{ key, nonce, associatedData, data }])   // ciphertext, then the tag
 */
export interface BatchCipher {
  /** AES-128-GCM, one answer for each job, in order. Throws RangeError for a key or nonce of the wrong length. */
  seal(jobs: readonly CipherJob[]): Uint8Array[]
  /** The plaintext of each job, or undefined where the tag does not hold. */
  open(jobs: readonly CipherJob[]): (Uint8Array | undefined)[]
  /** AES-128-CTR over at most 65,504 bytes with an IV of 16 bytes; the same call masks and unmasks. */
  mask(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array
  /** keccak-256 as Ethereum uses it: 32 bytes. */
  keccak256(data: Uint8Array): Uint8Array
}

/** Undefined where the addon did not load, or where this node exports no OpenSSL; `backendInfo()` says which. */
export const cipher: BatchCipher | undefined

/** What was found on this machine, and why other candidates were refused. */
export interface BackendInfo {
  readonly addon: {
    readonly loaded: boolean
    /** The file it came from. */
    readonly file: string | undefined
    /** Why candidates were refused, in the order in which they were tried. */
    readonly reasons: readonly string[]
  }
  readonly openssl: {
    readonly found: boolean
    /** The version text of OpenSSL, or the first symbol that is missing. */
    readonly detail: string
  }
}

export function backendInfo(): BackendInfo
