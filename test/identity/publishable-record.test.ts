import test from 'ava'
import { equalBytes } from '../../src/codec/bytes.ts'
import { toHex } from '../../src/codec/hex.ts'
import { nodeCryptography as crypto } from '../../src/crypto/node-cryptography.ts'
import { ok, refused, unwrap } from '../../src/errors.ts'
import type { IdentityScheme } from '../../src/identity/identity.ts'
import { decodeRecord, parseRecord } from '../../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord, portalEntry } from '../../src/identity/publishable-record.ts'
import { RecordDecoder } from '../../src/identity/record-decoder.ts'
import { standardSchemes } from '../../src/identity/v4.ts'

const privateKey = new Uint8Array(32).fill(0x42)
const fresh = (): PublishableRecord => new PublishableRecord({ privateKey, crypto })

test('seq increases with a publication that changes something, and only then', t => {
  const own = fresh()
  const first = own.current
  t.is(first.seq, 1n)
  t.is(own.publish(), first)
  own.set({ udp: 9009 })
  t.is(own.current, first, 'a change is not published by itself')
  t.true(own.changed)
  const second = own.publish()
  t.is(second.seq, 2n)
  t.is(own.current, second)
  own.set({ udp: 9009 })
  t.false(own.changed)
  t.is(own.publish(), second)
  own.set({ udp: 1 })
  own.set({ udp: 9009 })
  t.is(own.publish(), second, 'a change taken back is none')
  own.set({ udp: undefined, tcp: 30303 })
  const third = own.publish()
  t.is(third.seq, 3n)
  t.is(third.get('udp'), undefined)
  t.is(toHex(third.get('tcp')!), '0x765f')
  t.is(first.get('tcp'), undefined, 'a published record never changes')
})

test('after a restart seq continues from the previous record', t => {
  const entries = { udp: 9009, p: portalEntry({ min: 2, max: 2, chainId: 1n }) }
  const previous = new PublishableRecord({ privateKey, crypto, entries, seq: 41n }).current
  t.is(previous.seq, 41n)
  t.is(new PublishableRecord({ privateKey, crypto, entries, previous }).current, previous)
  t.is(new PublishableRecord({ privateKey, crypto, entries: { udp: 1 }, previous }).current.seq, 42n)
  t.throws(() => new PublishableRecord({ privateKey: new Uint8Array(32).fill(1), crypto, entries, previous }), {
    code: 'ENR_FIELD_INVALID',
  })
})

test('an invalid change is refused as a whole', t => {
  const own = fresh()
  own.set({ udp: 5 })
  const published = own.publish()
  const wrong = [
    { udp: 7, ip: Uint8Array.of(1) },
    { udp: 7, ip: '127.0.0.1' },
    { udp: 65_536 },
    { udp: new Uint8Array(1) },
    { udp: 7, id: 'v5' },
    { udp: 7, secp256k1: undefined },
    { udp: 7, zz: { rlp: Uint8Array.of(0x82, 1) } },
    { udp: 7, '\u{1F980}': 1 },
  ]
  for (const changes of wrong) t.throws(() => own.set(changes), { code: 'ENR_FIELD_INVALID' }, JSON.stringify(changes))
  t.throws(() => own.set({ udp: 7, zz: new Uint8Array(180) }), { code: 'ENR_TOO_LARGE' })
  t.throws(() => own.set({ udp: -1 }), { code: 'RLP_INVALID' })
  t.is(own.publish(), published)
})

test('entries that may be set may be published with any seq', t => {
  const own = new PublishableRecord({ privateKey, crypto, seq: 2n ** 64n - 2n })
  let length = 0
  t.throws(
    () => {
      for (;;) own.set({ zz: new Uint8Array(++length).fill(1) })
    },
    { code: 'ENR_TOO_LARGE' },
  )
  t.is(own.publish().bytes.length, 300)
  own.set({ zz: undefined })
  t.throws(() => own.publish(), { code: 'ENR_FIELD_INVALID' }, 'seq does not wrap')
})

test('endpoints become the keys of their family', t => {
  const own = fresh()
  own.set({
    ...endpointEntries({ host: '192.0.2.7', port: 9009 }),
    ...endpointEntries({ host: '2001:db8::1', port: 9 }),
  })
  const record = own.publish()
  t.deepEqual(record.endpoint4, { host: '192.0.2.7', port: 9009 })
  t.deepEqual(record.endpoint6, { host: '2001:db8::1', port: 9 })
  t.deepEqual(record.endpoint, record.endpoint4)
  t.throws(() => endpointEntries({ host: 'localhost', port: 1 }), { code: 'ADDRESS_INVALID' })
  own.set({ ip: undefined, udp: undefined })
  t.deepEqual(own.publish().endpoint, { host: '2001:db8::1', port: 9 })
})

test('the private key is not visible, and works for the handshake', t => {
  const own = fresh()
  t.false(JSON.stringify(own).includes('42424242'))
  const digest = crypto.sha256(Uint8Array.of(1))
  t.true(crypto.verify(own.signDigest(digest), digest, own.current.publicKey))
  const other = new PublishableRecord({ privateKey: new Uint8Array(32).fill(7), crypto })
  t.deepEqual(own.sharedPoint(other.current.publicKey), other.sharedPoint(own.current.publicKey))
  t.is(own.sharedPoint(new Uint8Array(33)), undefined)
  t.throws(() => new PublishableRecord({ privateKey: new Uint8Array(32), crypto }), { code: 'KEY_INVALID' })
  t.throws(() => new PublishableRecord({ privateKey: new Uint8Array(31), crypto }), { code: 'KEY_INVALID' })
})

test('a user may register an identity scheme', t => {
  // Signs with a keyed hash: useless on a network, but different in every part of a scheme.
  const toy: IdentityScheme = {
    name: 'toy',
    signatureBytes: 32,
    entries: key => ({ toykey: key }),
    sign: (content, key) => crypto.hkdfSha256(content, key, new Uint8Array(0), 32),
    identify(claim) {
      const key = claim.field('toykey')
      if (key === undefined) return refused('ENR_FIELD_INVALID', 'expected toykey')
      return ok({ publicKey: key, nodeId: crypto.sha256(key) })
    },
    verify: (claim, { publicKey }) =>
      equalBytes(crypto.hkdfSha256(claim.content, publicKey, new Uint8Array(0), 32), claim.signature),
  }
  const schemes = new Map([...standardSchemes, [toy.name, toy]])
  const own = new PublishableRecord({ privateKey: Uint8Array.of(1, 2, 3), crypto, scheme: toy, entries: { udp: 1 } })
  own.set({ udp: 2 })
  const record = own.publish()
  t.is(record.scheme, 'toy')
  t.is(record.seq, 2n)
  t.deepEqual(record.nodeId, crypto.sha256(Uint8Array.of(1, 2, 3)))
  t.deepEqual(unwrap(parseRecord(record.text, crypto, schemes)).bytes, record.bytes)
  t.like(decodeRecord(record.bytes, crypto), { ok: false, code: 'ENR_SCHEME_UNKNOWN' })
  const decoder = new RecordDecoder({ crypto, schemes })
  t.true(decoder.decode(record.bytes).ok)
  t.true(decoder.decode(fresh().current.bytes).ok)
  const forged = record.bytes.slice()
  forged[forged.length - 1]! ^= 1
  t.is(decoder.decode(forged).ok, false)
  t.throws(() => own.set({ toykey: 1 }), { code: 'ENR_FIELD_INVALID' })
})

test('a decoder remembers verified records and forgets the least recently seen', t => {
  const records = [1, 2, 3].map(udp => new PublishableRecord({ privateKey, crypto, entries: { udp } }).current)
  const [first, second, third] = records.map(record => record.bytes)
  const decoder = new RecordDecoder({ crypto, capacity: 2 })
  const one = unwrap(decoder.decode(first!))
  const two = unwrap(decoder.decode(second!))
  t.is(unwrap(decoder.decode(first!.slice())), one, 'equal bytes, one record')
  t.true(decoder.decode(third!).ok)
  t.is(unwrap(decoder.decode(first!)), one)
  t.not(unwrap(decoder.decode(second!)), two, 'the least recently seen was forgotten')
  t.deepEqual(decoder.counters(), { hits: 2, misses: 4, size: 2 })
  t.is(unwrap(decoder.parse(records[1]!.text)).text, records[1]!.text)
})

test('a decoder does not remember what it refused', t => {
  const decoder = new RecordDecoder({ crypto })
  const forged = fresh().current.bytes.slice()
  forged[10]! ^= 1
  t.is(decoder.decode(forged).ok, false)
  t.is(decoder.decode(new Uint8Array(301)).ok, false)
  t.is(decoder.parse('enr:').ok, false)
  t.is(decoder.counters().size, 0)
  t.throws(() => new RecordDecoder({ crypto, capacity: -1 }), { code: 'USAGE' })
  const without = new RecordDecoder({ crypto, capacity: 0 })
  t.true(without.decode(fresh().current.bytes).ok)
  t.is(without.counters().size, 0)
})
