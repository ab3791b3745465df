import test from 'ava'
import { createNodeCryptography, defaultSecp256k1, nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { nativeSecp256k1 } from '../../src/crypto/secp256k1-native.ts'
import { nobleSecp256k1 } from '../../src/crypto/secp256k1-noble.ts'
import { cryptographyConformance } from '../conformance/cryptography.ts'

const native = nativeSecp256k1()
if (native === undefined) test.skip('libsecp256k1 does not load here (optional package secp256k1)', () => {})
else cryptographyConformance('libsecp256k1', createNodeCryptography(native))

cryptographyConformance('noble', createNodeCryptography(nobleSecp256k1))

test('the default is the native curve if it loads', t => {
  t.is(defaultSecp256k1.name, native === undefined ? 'noble' : 'libsecp256k1')
})

test('both curves make the same signatures, keys and shared points', t => {
  const noble = createNodeCryptography(nobleSecp256k1)
  for (let fill = 1; fill < 6; fill++) {
    const key = new Uint8Array(32).fill(fill)
    const digest = nodeCryptography.keccak256(key)
    const other = nodeCryptography.publicKey(digest)
    t.deepEqual(noble.publicKey(key), nodeCryptography.publicKey(key))
    t.deepEqual(noble.signRecoverable(digest, key), nodeCryptography.signRecoverable(digest, key))
    t.deepEqual(noble.sharedPoint(other, key), nodeCryptography.sharedPoint(other, key))
  }
})
