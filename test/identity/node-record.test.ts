import test from 'ava'
import fc from 'fast-check'
import { toBase64Url } from '../../src/codec/base64url.ts'
import { concatBytes } from '../../src/codec/bytes.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { encodeRlp, type RlpItem, rlpBytes, rlpList, uintBytes } from '../../src/codec/rlp.ts'
import { nodeCryptography as crypto } from '../../src/crypto/node-cryptography.ts'
import { unwrap } from '../../src/errors.ts'
import { decodeRecord, MAX_RECORD_BYTES, parseRecord } from '../../src/identity/node-record.ts'
import { PublishableRecord, portalEntry, type RecordChanges } from '../../src/identity/publishable-record.ts'

/** enr.md, "Test Vectors". */
const EXAMPLE = {
  text: 'enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8',
  nodeId: '0xa448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7',
  privateKey: unwrap(fromHex('0xb71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291')),
  publicKey: '0x03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138',
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A record with a valid signature over any content, valid or not. */
function signed(pairs: readonly (readonly [string, RlpItem])[], seq: Uint8Array = Uint8Array.of(1)): Uint8Array {
  const items = [seq, ...pairs.flatMap(([key, value]) => [ascii(key), value])]
  const signature = crypto.sign(crypto.keccak256(encodeRlp(items)), EXAMPLE.privateKey)
  return encodeRlp([signature, ...items])
}

const publicKey = crypto.publicKey(EXAMPLE.privateKey)
const identity: readonly (readonly [string, RlpItem])[] = [
  ['id', ascii('v4')],
  ['secp256k1', publicKey],
]
const withPairs = (...pairs: (readonly [string, RlpItem])[]): Uint8Array =>
  signed([...identity, ...pairs].sort(([a], [b]) => (a < b ? -1 : 1)))

const own = (entries: RecordChanges) =>
  new PublishableRecord({ privateKey: EXAMPLE.privateKey, crypto, entries }).current

test('the example of EIP-778 decodes to the values in its text', t => {
  const record = unwrap(parseRecord(EXAMPLE.text, crypto))
  t.is(record.nodeIdHex, EXAMPLE.nodeId)
  t.is(toHex(record.nodeId), EXAMPLE.nodeId)
  t.is(toHex(record.publicKey), EXAMPLE.publicKey)
  t.is(record.seq, 1n)
  t.is(record.scheme, 'v4')
  t.deepEqual(record.endpoint4, { host: '127.0.0.1', port: 30303 })
  t.deepEqual(record.endpoint, record.endpoint4)
  t.is(record.endpoint6, undefined)
  t.is(record.portal, undefined)
  t.is(record.text, EXAMPLE.text)
  t.is(JSON.stringify({ record }), JSON.stringify({ record: EXAMPLE.text }))
  t.deepEqual(
    [...record.entries()].map(([key, value]) => [key, toHex(value)]),
    [
      ['id', '0x7634'],
      ['ip', '0x7f000001'],
      ['secp256k1', EXAMPLE.publicKey],
      ['udp', '0x765f'],
    ],
  )
  t.is(toHex(record.getRaw('udp')!), '0x82765f')
  t.is(record.get('tcp'), undefined)
  t.is(record.getRaw('tcp'), undefined)
})

test('a record of nimbus_portal_client decodes to the values that its authors publish', t => {
  // portal-network-specs, bootnodes.md: a nimbus_portal_client.
  const text =
    'enr:-Iu4QCV0e-_1Uw7p5mwRgx02z2zxnCGXCrWaBZspT0bZT6kcdA9nkWTHRsz2zt09SB2QJ46qhNjOKzQPMcz6MH1pq3MLY26CaWSCdjSCaXCEwiErIHDDAgIBiXNlY3AyNTZrMaEDF0wfAJ-f1UZtpG7RdNSiVhjDl_ktP1dsDioUcGO2f1ODdWRwgiOM'
  const record = unwrap(parseRecord(text, crypto))
  t.is(record.seq, 11n)
  t.deepEqual(record.endpoint, { host: '194.33.43.32', port: 9100 })
  t.deepEqual(record.portal, { min: 2, max: 2, chainId: 1n })
  t.is(toHex(record.getRaw('p')!), '0xc3020201')
  t.is(toHex(record.get('c')!), '0x6e')
  t.is(record.text, text)
})

test('the record outlives the packet that brought it', t => {
  const original = unwrap(parseRecord(EXAMPLE.text, crypto)).bytes
  const packet = concatBytes(new Uint8Array(5), original)
  const record = unwrap(decodeRecord(packet.subarray(5), crypto))
  packet.fill(0)
  t.is(record.text, EXAMPLE.text)
  t.is(record.bytes.buffer.byteLength, original.length)
})

test('every bit of a record matters, and none makes a decoder throw', t => {
  const bytes = own({ ip: Uint8Array.of(1, 2, 3, 4), udp: 9009, p: portalEntry({ min: 2, max: 2, chainId: 1n }) }).bytes
  t.true(decodeRecord(bytes, crypto).ok)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    t.is(decodeRecord(flipped, crypto).ok, false, `bit ${bit}`)
  }
})

test('every truncation and every extension is refused', t => {
  const bytes = unwrap(parseRecord(EXAMPLE.text, crypto)).bytes
  for (let length = 0; length < bytes.length; length++) {
    t.is(decodeRecord(bytes.subarray(0, length), crypto).ok, false, `length ${length}`)
  }
  t.like(decodeRecord(concatBytes(bytes, Uint8Array.of(0)), crypto), { ok: false, code: 'ENR_MALFORMED' })
  for (let length = 0; length < EXAMPLE.text.length; length++) {
    t.is(parseRecord(EXAMPLE.text.slice(0, length), crypto).ok, false)
  }
})

test('no bytes make a decoder throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 320 }), bytes => {
      t.is(decodeRecord(bytes, crypto).ok, false)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      t.is(parseRecord(text, crypto).ok, false)
      t.is(parseRecord(`enr:${text}`, crypto).ok, false)
    }),
  )
})

test('a published record decodes to the same entries', t => {
  const entries = fc.record(
    {
      ip: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      ip6: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      udp: fc.nat(0xffff),
      udp6: fc.nat(0xffff),
      tcp: fc.nat(0xffff),
      text: fc.string({ maxLength: 10 }),
      zz: fc.uint8Array({ maxLength: 20 }),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(entries, fc.bigInt(0n, 2n ** 64n - 1n), (values, seq) => {
      const changes: RecordChanges = values
      const { current } = new PublishableRecord({ privateKey: EXAMPLE.privateKey, crypto, entries: changes, seq })
      const again = unwrap(parseRecord(current.text, crypto))
      t.deepEqual(again.bytes, current.bytes)
      t.is(again.seq, seq)
      t.is(again.nodeIdHex, EXAMPLE.nodeId)
      t.deepEqual([...again.entries()], [...current.entries()])
      for (const [key, value] of Object.entries(values)) {
        const expected = typeof value === 'number' ? uintBytes(value) : typeof value === 'string' ? ascii(value) : value
        if (value !== undefined) t.deepEqual(again.get(key), expected)
      }
      t.is(again.endpoint4?.port, values.ip && values.udp ? values.udp : undefined)
      const port6 = values.udp6 ?? values.udp
      t.is(again.endpoint6?.port, values.ip6 && port6 ? port6 : undefined)
    }),
    { numRuns: 50 },
  )
})

test('a record of 300 bytes is accepted, of 301 refused', t => {
  const sized = (extra: number) => withPairs(['zz', new Uint8Array(extra).fill(1)])
  const base = sized(170).length - 170 // of the same length of headers as those below
  t.is(sized(MAX_RECORD_BYTES - base).length, 300)
  t.true(decodeRecord(sized(MAX_RECORD_BYTES - base), crypto).ok)
  const large = sized(MAX_RECORD_BYTES + 1 - base)
  t.like(decodeRecord(large, crypto), { ok: false, code: 'ENR_TOO_LARGE' })
  t.like(parseRecord(`enr:${toBase64Url(large)}`, crypto), { ok: false, code: 'ENR_TOO_LARGE' })
})

test('unsorted or repeated keys are refused, although the signature is valid', t => {
  const id = identity[0]!
  const key = identity[1]!
  t.true(decodeRecord(signed([id, key]), crypto).ok)
  t.like(decodeRecord(signed([key, id]), crypto), { ok: false, code: 'ENR_KEYS_UNSORTED' })
  t.like(decodeRecord(signed([id, id, key]), crypto), { ok: false, code: 'ENR_KEYS_UNSORTED' })
  t.like(decodeRecord(signed([id, ['ip', ascii('abcd')], ['i', ascii('a')], key]), crypto), {
    ok: false,
    code: 'ENR_KEYS_UNSORTED',
  })
})

test('predefined keys with values of another shape are refused, although the signature is valid', t => {
  const facts: [string, RlpItem, boolean][] = [
    ['ip', new Uint8Array(4), true],
    ['ip', new Uint8Array(3), false],
    ['ip', new Uint8Array(16), false],
    ['ip', [new Uint8Array(4)], false],
    ['ip6', new Uint8Array(16), true],
    ['ip6', new Uint8Array(4), false],
    ['udp', Uint8Array.of(1), true],
    ['udp', Uint8Array.of(0x80), true],
    ['udp', Uint8Array.of(0xff, 0xff), true],
    ['udp', new Uint8Array(0), true], // the integer zero: no port
    ['udp', Uint8Array.of(0), false],
    ['udp', Uint8Array.of(0, 1), false],
    ['udp', Uint8Array.of(1, 0, 0), false],
    ['udp', [], false],
    ['udp6', Uint8Array.of(0, 1), false],
    ['tcp', Uint8Array.of(1, 0, 0), false],
    ['tcp6', Uint8Array.of(1, 0, 0), false],
    ['eth2', [], true], // unknown keys may say anything
  ]
  for (const [key, value, accepted] of facts) {
    const result = decodeRecord(withPairs([key, value]), crypto)
    t.is(result.ok, accepted, `${key} ${JSON.stringify(value)}`)
    if (!result.ok) t.is(result.code, 'ENR_FIELD_INVALID')
  }
})

test('seq is a canonical uint64', t => {
  const max = new Uint8Array(8).fill(0xff)
  t.is(unwrap(decodeRecord(signed(identity, max), crypto)).seq, 2n ** 64n - 1n)
  t.is(unwrap(decodeRecord(signed(identity, new Uint8Array(0)), crypto)).seq, 0n)
  t.like(decodeRecord(signed(identity, new Uint8Array(9).fill(1)), crypto), { ok: false, code: 'ENR_MALFORMED' })
  t.like(decodeRecord(signed(identity, Uint8Array.of(0)), crypto), { ok: false, code: 'ENR_MALFORMED' })
  t.like(decodeRecord(signed(identity, Uint8Array.of(0, 1)), crypto), { ok: false, code: 'ENR_MALFORMED' })
})

test('a key without a value, and a malformed list among the values, are refused', t => {
  const content = [uintBytes(1), ascii('id'), ascii('v4'), ascii('secp256k1'), publicKey, ascii('zz')]
  const signature = crypto.sign(crypto.keccak256(encodeRlp(content)), EXAMPLE.privateKey)
  t.like(decodeRecord(encodeRlp([signature, ...content]), crypto), { ok: false, code: 'ENR_MALFORMED' })

  const parts = [...content.map(rlpBytes), Uint8Array.of(0xc2, 0x81, 0x01)] // a byte below 0x80 with a header
  const over = crypto.sign(crypto.keccak256(rlpList(parts)), EXAMPLE.privateKey)
  t.like(decodeRecord(rlpList([rlpBytes(over), ...parts]), crypto), { ok: false, code: 'ENR_MALFORMED' })
})

test('the scheme must be named, known, and have its key', t => {
  const key = identity[1]!
  t.like(decodeRecord(signed([key]), crypto), { ok: false, code: 'ENR_FIELD_INVALID' })
  t.like(decodeRecord(signed([['id', ascii('v5')], key]), crypto), { ok: false, code: 'ENR_SCHEME_UNKNOWN' })
  t.like(decodeRecord(signed([['id', [ascii('v4')]], key]), crypto), { ok: false, code: 'ENR_FIELD_INVALID' })
  t.like(decodeRecord(signed([identity[0]!]), crypto), { ok: false, code: 'ENR_FIELD_INVALID' })
  const offCurve = new Uint8Array(33).fill(0xff)
  offCurve[0] = 2
  t.like(decodeRecord(signed([identity[0]!, ['secp256k1', offCurve]]), crypto), {
    ok: false,
    code: 'ENR_FIELD_INVALID',
  })
  const other = crypto.publicKey(new Uint8Array(32).fill(5))
  t.like(decodeRecord(signed([identity[0]!, ['secp256k1', other]]), crypto), {
    ok: false,
    code: 'ENR_SIGNATURE_INVALID',
  })
})

test('the text form has one spelling', t => {
  t.like(parseRecord(EXAMPLE.text.slice(4), crypto), { ok: false, code: 'ENR_MALFORMED' })
  t.like(parseRecord(`ENR:${EXAMPLE.text.slice(4)}`, crypto), { ok: false, code: 'ENR_MALFORMED' })
  t.like(parseRecord(`enr://${EXAMPLE.text.slice(4)}`, crypto), { ok: false, code: 'ENR_MALFORMED' })
  for (const end of ['=', '==', ' ', '\n']) {
    t.like(parseRecord(EXAMPLE.text + end, crypto), { ok: false, code: 'ENR_MALFORMED' })
  }
  t.like(parseRecord(EXAMPLE.text.replace('_', '/'), crypto), { ok: false, code: 'ENR_MALFORMED' })
})

test('p is read as a list and as a list in a string, with later additions; pv is that of older clients', t => {
  const p = [uintBytes(2), uintBytes(3), uintBytes(560_048)]
  const facts: [string, RlpItem, object | undefined][] = [
    ['p', p, { min: 2, max: 3, chainId: 560_048n }],
    ['p', encodeRlp(p), { min: 2, max: 3, chainId: 560_048n }],
    ['p', [...p, uintBytes(9), [uintBytes(1)]], { min: 2, max: 3, chainId: 560_048n }],
    ['p', p.slice(0, 2), undefined],
    ['p', [uintBytes(3), uintBytes(2), uintBytes(1)], undefined],
    ['p', [uintBytes(256), uintBytes(256), uintBytes(1)], undefined],
    ['p', ascii('abc'), undefined],
    ['pv', Uint8Array.of(0, 1), { min: 0, max: 1, chainId: undefined }],
    ['pv', Uint8Array.of(0), { min: 0, max: 0, chainId: undefined }],
    ['pv', new Uint8Array(0), undefined],
    ['pv', new Uint8Array(9), undefined],
  ]
  for (const [key, value, portal] of facts) {
    t.deepEqual(unwrap(decodeRecord(withPairs([key, value]), crypto)).portal, portal as never, JSON.stringify(value))
  }
  const both = withPairs(['p', p], ['pv', Uint8Array.of(0, 1)])
  t.is(unwrap(decodeRecord(both, crypto)).portal?.max, 3)
  const nimbus = own({ p: portalEntry({ min: 2, max: 2, chainId: 1n }) })
  t.is(toHex(nimbus.getRaw('p')!), '0xc3020201')
})
