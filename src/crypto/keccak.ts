import { keccak_256 } from '@noble/hashes/sha3.js'
import { createKeccak, type IHasher } from 'hash-wasm'

/**
 * The WebAssembly hasher takes a few milliseconds to compile and is six times faster than JavaScript (bench/keccak.ts), so it
 * starts with the module and JavaScript answers until it is there, or for good where WebAssembly is missing.
 *
 * One instance serves the whole thread: init, update and digest run in one synchronous stretch, so no two hashes ever mix.
 */
let hasher: IHasher | undefined

/** Settles when the fast hasher is in place; `false` where there is none. Nobody has to wait for it. */
export const keccakReady: Promise<boolean> = createKeccak(256).then(
  made => {
    hasher = made
    return true
  },
  () => false,
)

/** Keccak-256, as Ethereum uses it (not SHA3-256): 32 bytes in a fresh buffer. */
export function keccak256(data: Uint8Array): Uint8Array {
  return hasher === undefined ? keccak_256(data) : hasher.init().update(data).digest('binary')
}
