import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { keccak_256 } from '@noble/hashes/sha3.js'
import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import { keccak256 } from '../../src/crypto/keccak.ts'
import { createKeccakWasm } from '../../src/crypto/keccak-wasm.ts'

const EMPTY = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'

test('WebAssembly is there and hashes', t => {
  const hash = createKeccakWasm()
  t.is(toHex(hash!(new Uint8Array(0))), EMPTY)
  t.is(toHex(keccak256(new Uint8Array(0))), EMPTY)
})

test('any bytes hash as with the reference, also from a view', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), fc.nat(20), (bytes, skip) => {
      t.deepEqual(keccak256(bytes.subarray(skip)), keccak_256(bytes.subarray(skip)))
    }),
    { numRuns: 300 },
  )
})

test('inputs of about one block, and of about one piece of a long input, hash as with the reference', t => {
  const piece = 478 * 136 // as many whole blocks as one page of memory has room for
  for (const around of [136, 272, piece, 2 * piece, 200_000]) {
    for (const length of [around - 1, around, around + 1]) {
      const bytes = Uint8Array.from({ length }, (_, at) => at * 31)
      t.deepEqual(keccak256(bytes), keccak_256(bytes), `${length} bytes`)
    }
  }
})

test('a hash does not affect the next', t => {
  const short = Uint8Array.of(1, 2, 3)
  const expected = toHex(keccak_256(short))
  for (const before of [0, 135, 136, 70_000]) {
    keccak256(new Uint8Array(before).fill(0xff))
    t.is(toHex(keccak256(short)), expected)
  }
  t.throws(() => keccak256(undefined as unknown as Uint8Array))
  t.is(toHex(keccak256(short)), expected)
})

test('without WebAssembly JavaScript hashes', t => {
  const file = fileURLToPath(new URL('../../src/crypto/keccak.js', import.meta.url))
  const script = `const { keccak256 } = await import(${JSON.stringify(`file://${file}`)})
    process.stdout.write(typeof WebAssembly + ' ' + Buffer.from(keccak256(new Uint8Array(0))).toString('hex'))`
  const { stdout } = spawnSync(process.execPath, ['--jitless', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  t.is(stdout, `undefined ${EMPTY.slice(2)}`)
})
