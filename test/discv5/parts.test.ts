import test from 'ava'
import fc from 'fast-check'
import { addressBytes, addressScope, addressText, mayRelay, subnetKey } from '../../src/discv5/address.ts'
import { AddressVote, isBetterAddress } from '../../src/discv5/address-vote.ts'
import { ChallengeTable } from '../../src/discv5/challenges.ts'
import { DeadlineHeap, type Timed } from '../../src/discv5/deadline-heap.ts'
import { discoveryLimits } from '../../src/discv5/limits.ts'
import { RateLimit } from '../../src/discv5/rate-limit.ts'
import {
  nextSessionState,
  type SessionEvent,
  type SessionState,
  sessionMachine,
} from '../../src/discv5/session-machine.ts'

test('deadline heap: as a sorted list would have it', t => {
  const operation = fc.tuple(fc.constantFrom('set', 'remove', 'take'), fc.nat({ max: 19 }), fc.nat({ max: 50 }))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), operations => {
      const items = Array.from({ length: 20 }, (): Timed => ({ dueAt: 0, heapIndex: -1 }))
      const heap = new DeadlineHeap<Timed>()
      const waiting = new Set<Timed>()
      const earliest = (): number => Math.min(Number.POSITIVE_INFINITY, ...[...waiting].map(item => item.dueAt))
      for (const [what, which, at] of operations) {
        const item = items[which]!
        if (what === 'set') {
          heap.set(item, at)
          waiting.add(item)
        } else if (what === 'remove') {
          heap.remove(item)
          waiting.delete(item)
        } else {
          const due = earliest()
          const taken = heap.takeDue(at)
          t.is(taken?.dueAt, due <= at ? due : undefined)
          if (taken !== undefined) waiting.delete(taken)
        }
        t.is(heap.next(), earliest())
        t.is(heap.size, waiting.size)
      }
    }),
  )
})

test('rate limit: a burst, then as many as time brings; the least recently seen is forgotten', t => {
  const limit = new RateLimit(10, 2, 5)
  const passed = (key: string, now: number, tries: number): number =>
    Array.from({ length: tries }, () => limit.take(key, now)).filter(Boolean).length
  t.is(passed('a', 0, 20), 5)
  t.is(passed('a', 100, 20), 1)
  t.is(passed('a', 10_000, 20), 5)
  t.is(passed('b', 10_000, 1), 1)
  t.is(passed('c', 10_000, 1), 1)
  t.is(limit.size, 2)
  t.is(passed('a', 10_000, 20), 5)
})

test('addresses: a mapped IPv4 address is IPv4, a zone is no part of it', t => {
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

test('nobody far away tells of our own network', t => {
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

test('challenges: bounded, the oldest goes first, none outlives its time', t => {
  const table = new ChallengeTable(2)
  const challenge = (expiresAt: number) => ({
    packet: new Uint8Array(),
    data: new Uint8Array(),
    record: undefined,
    expiresAt,
  })
  t.deepEqual(table.add('a', challenge(10), 0), { expired: 0, evicted: 0 })
  table.add('b', challenge(11), 1)
  t.deepEqual(table.add('c', challenge(12), 2), { expired: 0, evicted: 1 })
  t.is(table.find('a', 3), undefined)
  t.not(table.find('b', 3), undefined)
  t.is(table.find('b', 11), undefined)
  t.deepEqual(table.add('d', challenge(30), 20), { expired: 2, evicted: 0 })
  t.is(table.size, 1)
})

test('the session machine: what is cached is what xstate says, and every state is reachable', t => {
  const events: SessionEvent[] = ['open', 'challenge', 'respond', 'confirm', 'accept', 'expire', 'exhaust']
  const reached = new Set<SessionState>(['idle'])
  for (const state of reached) for (const event of events) reached.add(nextSessionState(state, event))
  t.deepEqual([...reached].sort(), Object.keys(sessionMachine.states).sort())
  t.is(nextSessionState('idle', 'open'), 'opening')
  t.is(nextSessionState('opening', 'respond'), 'handshaking')
  t.is(nextSessionState('handshaking', 'confirm'), 'established')
  t.is(nextSessionState('established', 'respond'), 'handshaking')
  // A challenge of ours may have been provoked by anybody: it takes nothing away.
  t.is(nextSessionState('established', 'challenge'), 'established')
  t.is(nextSessionState('established', 'expire'), 'established')
  t.is(nextSessionState('handshaking', 'expire'), 'failed')
})

test('limits: the defaults with what is changed; what is no limit is refused', t => {
  t.is(discoveryLimits({ sessions: 7 }).sessions, 7)
  t.throws(() => discoveryLimits({ sessions: 0 }), { code: 'CONFIG_INVALID' })
  t.throws(() => discoveryLimits({ sessions: Number.NaN }), { code: 'CONFIG_INVALID' })
  t.throws(() => discoveryLimits({ session: 1 } as never), { code: 'CONFIG_INVALID' })
})
