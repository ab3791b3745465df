import test from 'ava'
import { seededRandomness } from 'spimpl-runtime'
import { decodeEnr, describeEnr, type NewEnrOptions, newEnr } from '../../cli/enr.ts'
import { toBase64Url } from '../../src/codec/base64url.ts'
import { nodeCryptography as crypto } from '../../src/crypto/node-cryptography.ts'
import { unwrap } from '../../src/errors.ts'
import { parseRecord } from '../../src/identity/node-record.ts'
import { PublishableRecord, portalEntry } from '../../src/identity/publishable-record.ts'
import { MAX_VERSION, MIN_VERSION } from '../../src/portal/wire/version.ts'

/** enr.md, "Test Vectors". */
const EXAMPLE =
  'enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8'
const EXAMPLE_KEY = 'b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291'

test('decode says what the example of EIP-778 holds', t => {
  t.is(
    decodeEnr(`  ${EXAMPLE}\n`),
    [
      'node id     0xa448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7',
      'seq         1',
      'signature   valid',
      'scheme      v4',
      'public key  0x03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138',
      'ip          127.0.0.1',
      'udp         30303',
      'size        134 bytes',
    ].join('\n'),
  )
})

test('decode shows every key, in JSON on one line', t => {
  const entries = {
    ip6: new Uint8Array(16),
    udp6: 9,
    tcp: 8,
    p: portalEntry({ min: 2, max: 3, chainId: 560_048n }),
    'c\x1b[31m': 'x',
    zz: { rlp: Uint8Array.of(0xc1, 0x05) },
  }
  const { current } = new PublishableRecord({ privateKey: new Uint8Array(32).fill(1), crypto, entries, seq: 2n ** 63n })
  const json = decodeEnr(current.text, { json: true })
  t.false(json.includes('\n'))
  t.like(JSON.parse(json), {
    seq: '9223372036854775808',
    ip6: '::',
    udp6: 9,
    tcp: 8,
    signatureValid: true,
    portal: { min: 2, max: 3, chainId: '560048' },
    other: { 'c\x1b[31m': '0x78', zz: '0xc105' },
    bytes: current.bytes.length,
  })
  const text = decodeEnr(current.text)
  t.false(text.includes('\x1b'), 'a key cannot reach the terminal')
  t.true(text.includes('portal      versions 2 to 3, chain 560048'))
})

test('decode shows a malformed p among the other keys', t => {
  const { current } = new PublishableRecord({ privateKey: new Uint8Array(32).fill(1), crypto, entries: { p: 'no' } })
  t.is(describeEnr(current.text).portal, undefined)
  t.deepEqual(describeEnr(current.text).other, { p: '0x6e6f' })
})

test('decode says that a signature is wrong, and still shows the record', t => {
  const bytes = unwrap(parseRecord(EXAMPLE, crypto)).bytes.slice()
  bytes[bytes.length - 1]! ^= 1
  const text = `enr:${toBase64Url(bytes)}`
  t.true(decodeEnr(text).includes('signature   INVALID'))
  t.true(decodeEnr(text).includes('udp         30302'))
  t.like(JSON.parse(decodeEnr(text, { json: true })), { signatureValid: false })
})

test('decode names what it cannot read', t => {
  const error = t.throws(() => decodeEnr('enode://abc'), { code: 'ENR_MALFORMED' })
  t.true(error?.message.includes('"enode://abc"'), error?.message)
  t.throws(() => decodeEnr(EXAMPLE.slice(0, -4)), { code: 'ENR_MALFORMED' })
  t.throws(() => decodeEnr(''), { code: 'ENR_MALFORMED' })
})

test('new makes the example of EIP-778 from its key', t => {
  const options = { ip: '127.0.0.1', udp: '30303' }
  const expected = { text: EXAMPLE, nodeId: describeEnr(EXAMPLE).nodeId, privateKey: undefined }
  t.deepEqual(newEnr({ ...options, privateKey: EXAMPLE_KEY }), expected)
  t.deepEqual(newEnr({ ...options, privateKey: `0x${EXAMPLE_KEY}` }), expected)
  const files = (path: string): string => (path === 'node.key' ? `${EXAMPLE_KEY}\n` : '')
  t.deepEqual(newEnr({ ...options, privateKey: '@node.key' }, seededRandomness(1), files), expected)
})

test('new makes a key where there is none, and shows it', t => {
  const made = newEnr({ network: 'hoodi', ip6: '2001:db8::1', udp6: '9009', tcp: '1', seq: '7' }, seededRandomness(3))
  t.regex(made.privateKey ?? '', /^0x[0-9a-f]{64}$/)
  t.is(newEnr({ privateKey: made.privateKey }).nodeId, made.nodeId)
  t.like(describeEnr(made.text), {
    seq: '7',
    ip6: '2001:db8::1',
    udp6: 9009,
    tcp: 1,
    portal: { min: MIN_VERSION, max: MAX_VERSION, chainId: '560048' },
  })
  t.not(newEnr({}).nodeId, newEnr({}).nodeId)
})

test('new names the value that is wrong, but never a key', t => {
  const facts: [NewEnrOptions, string, string][] = [
    [{ ip: '1.2.3.256' }, 'USAGE', '--ip: expected an IPv4 address, got "1.2.3.256"'],
    [{ ip: '::1' }, 'USAGE', '--ip: expected an IPv4 address, got "::1"'],
    [{ ip6: '1.2.3.4' }, 'USAGE', '--ip6: expected an IPv6 address, got "1.2.3.4"'],
    [{ udp: '65536' }, 'USAGE', '--udp: expected a port from 1 to 65535, got "65536"'],
    [{ tcp: '0' }, 'USAGE', '--tcp: expected a port from 1 to 65535, got "0"'],
    [{ udp6: '1e3' }, 'USAGE', '--udp6: expected a port from 1 to 65535, got "1e3"'],
    [{ network: 'toString' }, 'USAGE', '--network: expected one of mainnet, sepolia, hoodi, got "toString"'],
    [{ seq: '-1' }, 'USAGE', '--seq: expected an integer of 64 bits, got "-1"'],
    [{ seq: '18446744073709551616' }, 'USAGE', '--seq: expected an integer of 64 bits, got "18446744073709551616"'],
    [{ privateKey: 'abcd' }, 'KEY_INVALID', '--private-key: expected a private key of 64 hex digits, got 4 characters'],
  ]
  for (const [options, code, message] of facts) t.throws(() => newEnr(options), { code, message })
  const secret = `${EXAMPLE_KEY.slice(0, -1)}g`
  const error = t.throws(() => newEnr({ privateKey: secret }), { code: 'KEY_INVALID' })
  t.false(error?.message.includes(secret.slice(0, 8)))
  t.throws(() => newEnr({ privateKey: '0'.repeat(64) }), { code: 'KEY_INVALID' })
  const missing = t.throws(() => newEnr({ privateKey: '@/nowhere/node.key' }), { code: 'KEY_INVALID' })
  t.true(missing?.message.includes('@/nowhere/node.key'))
})
