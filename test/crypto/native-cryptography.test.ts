import test from 'ava'
import { cipher } from 'node-dispatch-addon'
import { nativeCryptography } from '../../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { cryptographyConformance } from '../conformance/cryptography.ts'

if (cipher === undefined) {
  test('without the addon the base itself answers', t => {
    t.is(nativeCryptography(nodeCryptography), nodeCryptography)
  })
} else cryptographyConformance('addon', nativeCryptography(nodeCryptography))
