import test from 'ava'
import { ChallengeTable } from '../../../src/discv5/sessions/challenges.ts'

test('challenges: bounded, the oldest is evicted, each expires', t => {
  const table = new ChallengeTable(2)
  const challenge = (expiresAt: number) => ({
    nonce: new Uint8Array(12),
    packet: new Uint8Array(),
    data: new Uint8Array(),
    record: undefined,
    expiresAt,
    held: [],
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
