import test from 'ava'
import { backendInfo } from 'node-dispatch-addon'
import { nativeCryptography } from '../../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { cryptographyConformance } from '../conformance/cryptography.ts'

const crypto = nativeCryptography(nodeCryptography)
const { addon, openssl } = backendInfo()
const reason = addon.loaded ? openssl.detail : addon.reasons.join('; ')

if (crypto === nodeCryptography && process.env.CI !== 'true') test.skip(`no native ciphers here: ${reason}`, () => {})
else cryptographyConformance('node-dispatch-addon', crypto)

test('the native port is used if the addon is there', t => {
  t.is(crypto !== nodeCryptography, addon.loaded && openssl.found, reason)
})
