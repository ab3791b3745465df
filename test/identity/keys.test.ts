import test from 'ava'
import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { toHex } from '../../src/codec/hex.ts'
import { nodeCryptography as crypto } from '../../src/crypto/node-cryptography.ts'
import { isPrivateKey, newPrivateKey, parsePrivateKey } from '../../src/identity/keys.ts'

test('the randomness determines a new key', t => {
  const key = newPrivateKey(seededRandomness(1), crypto)
  t.true(isPrivateKey(key, crypto))
  t.deepEqual(newPrivateKey(seededRandomness(1), crypto), key)
  t.notDeepEqual(newPrivateKey(seededRandomness(2), crypto), key)
})

test('candidates above the order of the curve are drawn again', t => {
  const candidates = [new Uint8Array(32).fill(0xff), new Uint8Array(32), new Uint8Array(32).fill(7)]
  const randomness: Randomness = { bytes: () => candidates.shift()!, below: () => 0 }
  t.deepEqual(newPrivateKey(randomness, crypto), new Uint8Array(32).fill(7))
})

test('a key is 64 hex digits, with or without 0x, and no message contains it', t => {
  const key = new Uint8Array(32).fill(0xab)
  for (const text of [toHex(key), toHex(key).slice(2), ` ${toHex(key)}\n`]) {
    t.deepEqual(parsePrivateKey(text, crypto), key)
  }
  for (const text of [
    '',
    '0x',
    'ab'.repeat(31),
    'ab'.repeat(33),
    `${'ab'.repeat(31)}zz`,
    'ff'.repeat(32),
    '00'.repeat(32),
  ]) {
    const error = t.throws(() => parsePrivateKey(text, crypto), { code: 'KEY_INVALID' }, text)
    t.false(error?.message.includes('abab'))
  }
})
