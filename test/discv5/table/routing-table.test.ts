import test from 'ava'
import fc from 'fast-check'
import { seededRandomness } from 'spimpl-runtime'
import { toHex } from '../../../src/codec/hex.ts'
import { DEFAULT_IP_LIMITS, RoutingTable, type TableRecord } from '../../../src/discv5/table/routing-table.ts'
import { compareDistance, logDistance, randomIdAtDistance } from '../../../src/identity/distances.ts'

const LOCAL = new Uint8Array(32)

function recordOf(nodeId: Uint8Array, host = '127.0.0.1', seq = 1n): TableRecord {
  return { nodeId, nodeIdHex: toHex(nodeId), seq, endpoint: { host, port: 9000 } }
}

/** Distinct records at a distance. */
function recordsAt(distance: number, count: number, seed = 1, host?: (index: number) => string): TableRecord[] {
  const randomness = seededRandomness(seed)
  return Array.from({ length: count }, (_, index) =>
    recordOf(randomIdAtDistance(LOCAL, distance, randomness), host?.(index)),
  )
}

const tableOf = (records: readonly TableRecord[], ipLimits = false): RoutingTable<{ record: TableRecord }> => {
  const table = new RoutingTable<{ record: TableRecord }>({
    localId: LOCAL,
    ...(ipLimits && { ipLimits: DEFAULT_IP_LIMITS }),
  })
  for (const record of records) table.insert({ record }, 0)
  return table
}

// Some ids are near the local one, so that many buckets are occupied.
const nodeId = fc
  .tuple(fc.integer({ min: 1, max: 256 }), fc.integer())
  .map(([distance, seed]) => randomIdAtDistance(LOCAL, distance, seededRandomness(seed)))

test('closest returns what sorting all members returns, for any target', t => {
  fc.assert(
    fc.property(fc.array(nodeId, { maxLength: 200 }), nodeId, fc.integer({ min: 1, max: 20 }), (ids, target, count) => {
      const table = tableOf(ids.map(id => recordOf(id)))
      const sorted = [...table.entries()].map(({ record }) => record)
      sorted.sort((a, b) => compareDistance(target, a.nodeId, b.nodeId))
      t.deepEqual(
        table.closest(target, count).map(({ record }) => record.nodeIdHex),
        sorted.slice(0, count).map(record => record.nodeIdHex),
      )
      for (const { distance, members } of table.buckets()) {
        t.true(members.length <= 16)
        for (const { record } of members) t.is(logDistance(LOCAL, record.nodeId), distance)
      }
    }),
  )
})

test('a full bucket keeps new nodes as replacements, and the newest takes a free place', t => {
  const records = recordsAt(256, 30)
  const table = tableOf([])
  const outcomes = records.map(record => table.insert({ record }, 0))
  t.deepEqual(outcomes, [...new Array<string>(16).fill('added'), ...new Array<string>(14).fill('reserved')])
  t.is(table.size, 16)
  t.is(table.insert({ record: records[0]! }, 1), 'updated')
  const { removed, successor } = table.markFailed(records[0]!.nodeIdHex)
  t.is(removed?.record, records[0])
  t.is(successor?.record, records[29])
  t.is(table.size, 16)
  t.false(table.slot(records[29]!.nodeIdHex)?.isLive)
  t.is(table.get(records[0]!.nodeIdHex), undefined)
  // There are 10 replacements: the first four were displaced, one has become a member.
  for (let left = 9; left > 0; left--)
    t.not(table.remove([...table.entries()][0]!.record.nodeIdHex).successor, undefined)
  t.is(table.remove([...table.entries()][0]!.record.nodeIdHex).successor, undefined)
})

test('a live node may miss two checks, a node that never answered none', t => {
  const [live, silent] = recordsAt(200, 2) as [TableRecord, TableRecord]
  const table = tableOf([live, silent])
  t.true(table.markLive(live.nodeIdHex, 5))
  for (const expected of [undefined, undefined, live]) t.is(table.markFailed(live.nodeIdHex).removed?.record, expected)
  t.is(table.markFailed(silent.nodeIdHex).removed?.record, silent)
  t.false(table.markLive(silent.nodeIdHex, 6))
  t.is(table.markFailed(silent.nodeIdHex).removed, undefined)
})

test('an answer between two missed checks resets the count', t => {
  const [record] = recordsAt(200, 1) as [TableRecord]
  const table = tableOf([record])
  for (let round = 0; round < 10; round++) {
    table.markLive(record.nodeIdHex, round)
    t.is(table.markFailed(record.nodeIdHex).removed, undefined)
    t.is(table.markFailed(record.nodeIdHex).removed, undefined)
  }
})

test('records: newer ones replace, older ones do not, a new address must prove itself', t => {
  const [record] = recordsAt(250, 1) as [TableRecord]
  const table = tableOf([record])
  table.markLive(record.nodeIdHex, 1)
  t.is(table.insert({ record: { ...record, seq: 3n } }, 2), 'updated')
  t.true(table.slot(record.nodeIdHex)?.isLive)
  t.is(table.insert({ record: { ...record, seq: 2n } }, 3), 'outdated')
  t.is(table.get(record.nodeIdHex)?.record.seq, 3n)
  t.is(table.insert({ record: { ...record, seq: 4n, endpoint: { host: '10.0.0.1', port: 1 } } }, 4), 'updated')
  t.false(table.slot(record.nodeIdHex)?.isLive)
  t.is(table.insert({ record: recordOf(LOCAL) }, 5), 'self')
})

test('one /24 has 2 places in a bucket and 10 in the table; loopback and private addresses are not limited', t => {
  const publicHost = (index: number): string => `203.0.113.${index}`
  const inBucket = tableOf(recordsAt(256, 5, 1, publicHost), true)
  t.is(inBucket.size, 2)
  t.is(inBucket.insert({ record: recordsAt(256, 1, 9, () => '198.51.100.1')[0]! }, 0), 'added')
  const everywhere = tableOf(
    Array.from({ length: 20 }, (_, index) => recordsAt(230 + index, 1, index, publicHost)[0]!),
    true,
  )
  t.is(everywhere.size, 10)
  t.is(everywhere.remove([...everywhere.entries()][0]!.record.nodeIdHex).successor, undefined)
  t.is(everywhere.insert({ record: recordsAt(256, 1, 50, publicHost)[0]! }, 0), 'added')
  t.is(
    tableOf(
      recordsAt(256, 5, 1, index => `192.168.1.${index}`),
      true,
    ).size,
    5,
  )
  t.is(tableOf(recordsAt(256, 5, 1), true).size, 5)
})

test('atDistances returns members of those buckets once, the most recently seen first', t => {
  const near = recordsAt(100, 3, 1)
  const far = recordsAt(256, 3, 2)
  const table = tableOf([...near, ...far])
  table.markLive(far[0]!.nodeIdHex, 9)
  t.deepEqual(
    table.atDistances([256, 100, 256, 0], 4).map(({ record }) => record.nodeIdHex),
    [far[0]!, far[2]!, far[1]!, near[2]!].map(record => record.nodeIdHex),
  )
  t.deepEqual(
    table.atDistances([256, 100], 9, slot => slot.isLive).map(({ record }) => record.nodeIdHex),
    [far[0]!.nodeIdHex],
  )
})

test('the bucket that was refreshed longest ago is refreshed first', t => {
  const table = tableOf([...recordsAt(256, 1), ...recordsAt(254, 1)])
  const order = Array.from({ length: 8 }, (_, now) => table.nextToRefresh(now))
  t.deepEqual(order, [256, 255, 254, 253, 256, 255, 254, 253])
  t.is(tableOf([]).nextToRefresh(0), 256)
})
