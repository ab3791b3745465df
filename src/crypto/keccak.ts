import { keccak_256 } from '@noble/hashes/sha3.js'
import { createKeccakWasm } from './keccak-wasm.ts'

/**
 * One instance serves the whole thread: a hash is one synchronous stretch, so no two ever mix. JavaScript, about fifteen times slower,
 * answers where the engine runs without WebAssembly (`node --jitless`).
 */
const hash = createKeccakWasm() ?? ((data: Uint8Array): Uint8Array => keccak_256(data))

/** Keccak-256, as Ethereum uses it (not SHA3-256): 32 bytes in a fresh buffer. */
export function keccak256(data: Uint8Array): Uint8Array {
  return hash(data)
}
