import test from 'ava'
import fc from 'fast-check'
import { AddressVote, isBetterAddress } from '../../../src/discv5/table/address-vote.ts'

test('address votes: one for each peer, a majority wins, votes expire', t => {
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

test('an address is not replaced by one of a narrower scope', t => {
  const at = (host: string, port = 9000) => ({ host, port })
  t.true(isBetterAddress(at('127.0.0.1'), undefined))
  t.true(isBetterAddress(at('8.8.8.8'), at('192.168.0.1')))
  t.false(isBetterAddress(at('192.168.0.1'), at('8.8.8.8')))
  t.false(isBetterAddress(at('127.0.0.1'), at('192.168.0.1')))
  t.true(isBetterAddress(at('8.8.8.8', 9001), at('8.8.8.8', 9000)))
  t.false(isBetterAddress(at('8.8.8.8'), at('8.8.8.8')))
})

test('property: the winner is the one that a count of the latest votes names', t => {
  const vote = fc.record({ voter: fc.nat({ max: 7 }), port: fc.integer({ min: 1, max: 3 }), wait: fc.nat({ max: 30 }) })
  fc.assert(
    fc.property(fc.array(vote, { maxLength: 60 }), votes => {
      const capacity = 5
      const address = new AddressVote({ capacity, majority: 2, lifetimeMs: 100 })
      let latest: { voter: number; port: number; expiresAt: number }[] = []
      let now = 0
      for (const { voter, port, wait } of votes) {
        now += wait
        address.add(`${voter}`, { host: '192.0.2.1', port }, now)
        latest = latest.filter(one => one.voter !== voter && one.expiresAt > now)
        latest = [...latest, { voter, port, expiresAt: now + 100 }].slice(-capacity)
        const counts = [1, 2, 3].map(each => latest.filter(one => one.port === each).length)
        const winner = counts.findIndex(count => count >= 2 && count > latest.length / 2)
        t.is(address.winner('IPv4')?.port, winner < 0 ? undefined : winner + 1)
        t.is(address.size, latest.length)
      }
    }),
  )
})
