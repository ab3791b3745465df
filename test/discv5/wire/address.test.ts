import test from 'ava'
import {
  addressBytes,
  addressScope,
  addressText,
  mayRelay,
  rateKey,
  subnetKey,
} from '../../../src/discv5/wire/address.ts'

test('addresses: a mapped IPv4 address is IPv4, a zone is dropped', t => {
  t.deepEqual(addressBytes('::ffff:192.0.2.7'), Uint8Array.of(192, 0, 2, 7))
  t.deepEqual(addressBytes('fe80::1%eth0')?.length, 16)
  t.is(addressText(addressBytes('2001:db8::1')!), '2001:db8::1')
  t.is(addressText(Uint8Array.from([...new Uint8Array(10), 255, 255, 10, 0, 0, 1])), '10.0.0.1')
  t.is(addressBytes('example.org'), undefined)
})

for (const [host, scope] of [
  ['127.0.0.1', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.9', 'loopback'],
  ['10.1.2.3', 'private'],
  ['172.31.0.1', 'private'],
  ['172.32.0.1', 'global'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['169.254.1.1', 'private'],
  ['fe80::1', 'private'],
  ['fd00::1', 'private'],
  ['8.8.8.8', 'global'],
  ['2001:4860::8888', 'global'],
  ['0.0.0.0', 'unusable'],
  ['::', 'unusable'],
  ['224.0.0.1', 'unusable'],
  ['255.255.255.255', 'unusable'],
  ['ff02::1', 'unusable'],
  ['localhost', 'unusable'],
] as const) {
  test(`the scope of ${host} is ${scope}`, t => t.is(addressScope(host), scope))
}

test('a distant node may not relay addresses of our network', t => {
  t.true(mayRelay('8.8.8.8', '1.1.1.1'))
  t.false(mayRelay('8.8.8.8', '127.0.0.1'))
  t.false(mayRelay('8.8.8.8', '192.168.0.7'))
  t.false(mayRelay('192.168.0.1', '127.0.0.1'))
  t.true(mayRelay('192.168.0.1', '192.168.0.7'))
  t.true(mayRelay('127.0.0.1', '192.168.0.7'))
  t.false(mayRelay('127.0.0.1', '0.0.0.0'))
  t.is(subnetKey('203.0.113.7'), subnetKey('203.0.113.200'))
  t.not(subnetKey('203.0.113.7'), subnetKey('203.0.114.7'))
  t.is(subnetKey('2001:db8::1'), subnetKey('2001:db8::2:1'))
})

test('a rate belongs to an IPv4 address in any form, or to a /64', t => {
  t.is(rateKey('192.0.2.7'), '192.0.2.7')
  t.is(rateKey('::ffff:192.0.2.7'), '192.0.2.7')
  t.not(rateKey('192.0.2.7'), rateKey('192.0.2.8'))
  t.is(rateKey('2001:db8:1:2::7'), rateKey('2001:db8:1:2:ffff::8'))
  t.not(rateKey('2001:db8:1:2::7'), rateKey('2001:db8:1:3::7'))
})
