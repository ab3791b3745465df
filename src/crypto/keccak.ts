import { keccak_256 } from '@noble/hashes/sha3.js'
import { createKeccakWasm } from './keccak-wasm.ts'

/**
 * One instance serves the whole thread: a hash is computed synchronously, so two never overlap. An engine without
 * WebAssembly (`node --jitless`) uses JavaScript, which is about fifteen times slower.
 */
const hash = createKeccakWasm() ?? ((data: Uint8Array): Uint8Array => keccak_256(data))

/** The Keccak-256 of Ethereum (not SHA3-256): 32 bytes in a new buffer. */
export function keccak256(data: Uint8Array): Uint8Array {
  return hash(data)
}
