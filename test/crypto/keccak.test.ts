import { keccak_256 } from '@noble/hashes/sha3.js'
import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import { keccak256, keccakReady } from '../../src/crypto/keccak.ts'

/** Hashed while the module graph was loading, by whichever implementation was there. */
const early = toHex(keccak256(new Uint8Array(0)))

test('hashes before the fast hasher is ready are the same hashes', async t => {
  t.true(await keccakReady, 'this Node.js has WebAssembly')
  t.is(early, '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  t.is(toHex(keccak256(new Uint8Array(0))), early)
})

test('any bytes hash as with the reference, from a view too', async t => {
  await keccakReady
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), fc.nat(20), (bytes, skip) => {
      t.deepEqual(keccak256(bytes.subarray(skip)), keccak_256(bytes.subarray(skip)))
    }),
  )
  for (const length of [135, 136, 137, 16_383, 16_384, 16_385, 100_000]) {
    const bytes = new Uint8Array(length).fill(7)
    t.deepEqual(keccak256(bytes), keccak_256(bytes), `${length} bytes`)
  }
})

test('a hash that fails does not spoil the next', async t => {
  await keccakReady
  t.throws(() => keccak256(undefined as unknown as Uint8Array))
  t.is(toHex(keccak256(new Uint8Array(0))), early)
})
