import test from 'ava'
import { AddressVote, isBetterAddress } from '../../../src/discv5/table/address-vote.ts'

test('address votes: one a peer, a majority of all, for a while', t => {
  const votes = new AddressVote({ capacity: 4, majority: 2, lifetimeMs: 100 })
  const at = (host: string, port = 9000) => ({ host, port })
  votes.add('a', at('192.0.2.1'), 0)
  votes.add('a', at('192.0.2.1'), 0)
  t.is(votes.winner('IPv4'), undefined)
  votes.add('b', at('192.0.2.1'), 0)
  t.deepEqual(votes.winner('IPv4'), at('192.0.2.1'))
  t.is(votes.winner('IPv6'), undefined)
  votes.add('c', at('192.0.2.2'), 10)
  votes.add('d', at('192.0.2.3'), 10)
  // Two of four are no majority.
  t.is(votes.winner('IPv4'), undefined)
  votes.add('e', at('192.0.2.2'), 20)
  t.is(votes.size, 4)
  votes.add('c', at('192.0.2.9'), 115)
  // All but the two newest have expired.
  t.is(votes.size, 2)
  votes.add('f', at('0.0.0.0'), 116)
  votes.add('g', at('192.0.2.9', 0), 116)
  t.is(votes.size, 2)
})

test('an address is not given up for one that fewer can reach', t => {
  const at = (host: string, port = 9000) => ({ host, port })
  t.true(isBetterAddress(at('127.0.0.1'), undefined))
  t.true(isBetterAddress(at('8.8.8.8'), at('192.168.0.1')))
  t.false(isBetterAddress(at('192.168.0.1'), at('8.8.8.8')))
  t.false(isBetterAddress(at('127.0.0.1'), at('192.168.0.1')))
  t.true(isBetterAddress(at('8.8.8.8', 9001), at('8.8.8.8', 9000)))
  t.false(isBetterAddress(at('8.8.8.8'), at('8.8.8.8')))
})
