import test from 'ava'
import { toHex } from '../../../src/codec/hex.ts'
import { logDistance } from '../../../src/identity/distances.ts'
import { answerOf, DrivenOverlay, one, other, peer, talks } from '../../testing/portal/driven-overlay.ts'
import { keyOf, MAINNET, recordOf, type Versions } from '../../testing/portal/sub-network.ts'

/** A ping to the peer that is not answered, some seconds after whatever was before. */
function silence(driven: DrivenOverlay, ref: number, code: 'REQUEST_TIMEOUT' | 'REQUEST_LIMIT' = 'REQUEST_TIMEOUT') {
  driven.now += 3_000
  const talk = one(driven.handle({ type: 'ping', ref, to: peer }), 'talk')
  driven.handle({ type: 'talk-failed', ref: talk.ref, code })
}

test('after three silences in a row others are not told of a node, after eight it goes; an answer begins anew', t => {
  const driven = new DrivenOverlay()
  const distances = [logDistance(driven.record.nodeId, peer.nodeId)]
  const told = () => {
    const nodes = answerOf(driven.ask(other, { type: 'find-nodes', distances }))
    return nodes.type === 'nodes' ? nodes.records.length : undefined
  }
  driven.befriend([peer])
  for (const ref of [1, 2]) silence(driven, ref)
  driven.befriend([peer])
  for (const ref of [3, 4]) silence(driven, ref)
  // Our own limit says nothing of the peer.
  silence(driven, 5, 'REQUEST_LIMIT')
  t.is(told(), 1)
  silence(driven, 6)
  t.is(told(), 0)
  for (const ref of [7, 8, 9, 10]) silence(driven, ref)
  t.not(driven.overlay.record(peer.nodeIdHex), undefined)
  silence(driven, 11)
  t.is(driven.overlay.record(peer.nodeIdHex), undefined)
})

test('candidates that are silent and those that took their place meanwhile have one limit', t => {
  const driven = new DrivenOverlay({ limits: { candidates: 2 } })
  const strangers = Array.from({ length: 6 }, (_, index) => recordOf(700 + index, MAINNET).current)
  const pings: number[] = []
  for (const record of strangers) {
    driven.handle({ type: 'node-met', record })
    pings.push(...talks(driven.pass(600)).map(({ ref }) => ref))
  }
  t.is(pings.length, 6)
  for (const record of [recordOf(710, MAINNET), recordOf(711, MAINNET)])
    driven.handle({ type: 'node-met', record: record.current })
  for (const ref of pings) driven.handle({ type: 'talk-failed', ref, code: 'REQUEST_TIMEOUT' })
  t.is(driven.overlay.snapshot().candidates, 2)
  t.is(driven.counter('limit.candidates'), 6)
})

test('one owner of addresses does not fill the table: two of a subnet in a bucket, ten in all', t => {
  const driven = new DrivenOverlay()
  const at = (index: number, ...ip: number[]) => {
    const own = recordOf(900 + index, MAINNET)
    own.set({ ip: Uint8Array.from(ip) })
    return own.publish()
  }
  driven.befriend(Array.from({ length: 200 }, (_, index) => at(index, 8, 8, 8, index)))
  const { members } = driven.overlay.snapshot()
  t.true(members > 2 && members <= 10, `${members} members`)
  const buckets = driven.overlay.buckets().map(({ length }) => length)
  t.is(Math.max(...buckets), 2)
  t.true(driven.counter('limit.addresses') > 180)
  driven.befriend(Array.from({ length: 20 }, (_, index) => at(300 + index, 9, index, 9, 9)))
  t.true(driven.overlay.snapshot().members > members + 10)
})

test('in a full bucket three silences cost a node its place', t => {
  const driven = new DrivenOverlay({ limits: { bucketSize: 1 } })
  driven.befriend([peer])
  for (const ref of [1, 2, 3]) silence(driven, ref)
  t.is(driven.overlay.record(peer.nodeIdHex), undefined)
})

test('many requests that are lost at one moment are one silence', t => {
  const driven = new DrivenOverlay({ limits: { bucketSize: 1 } })
  driven.befriend([peer])
  const refs = Array.from({ length: 20 }, (_, ref) => one(driven.handle({ type: 'ping', ref, to: peer }), 'talk').ref)
  for (const ref of refs) driven.handle({ type: 'talk-failed', ref, code: 'REQUEST_TIMEOUT' })
  t.not(driven.overlay.record(peer.nodeIdHex), undefined)
})

test('who answers a ping with nothing does not speak the protocol and goes; to FIND_CONTENT it may just not know the key', t => {
  const driven = new DrivenOverlay()
  driven.befriend([peer, other])
  const content = one(driven.handle({ type: 'find-content', ref: 1, to: peer, key: keyOf(1) }), 'talk')
  const failed = one(driven.handle({ type: 'talk-answered', ref: content.ref, payload: new Uint8Array(0) }), 'failed')
  t.is(failed.code, 'PORTAL_MESSAGE_MALFORMED')
  t.not(driven.overlay.record(peer.nodeIdHex), undefined)
  const ping = one(driven.handle({ type: 'ping', ref: 2, to: other }), 'talk')
  driven.handle({ type: 'talk-answered', ref: ping.ref, payload: new Uint8Array(0) })
  t.is(driven.overlay.record(other.nodeIdHex), undefined)
})

test('nodes met in discovery: pinged soon if they announce Portal on our chain, else left alone', t => {
  const driven = new DrivenOverlay()
  const met: readonly (readonly [Versions | undefined, boolean])[] = [
    [MAINNET, true],
    [{ min: 0, max: 1, chainId: undefined }, true],
    [{ min: 2, max: 2, chainId: 17000n }, false],
    [{ min: 3, max: 9, chainId: 1n }, false],
    [undefined, false],
  ]
  for (const [index, [versions]] of met.entries()) {
    t.deepEqual(driven.handle({ type: 'node-met', record: recordOf(600 + index, versions).current }), [])
  }
  const pinged = talks(driven.pass(1_000)).map(({ to }) => to.nodeIdHex)
  const expected = met.flatMap(([versions, wanted], index) =>
    wanted ? [recordOf(600 + index, versions).current.nodeIdHex] : [],
  )
  t.deepEqual(pinged.sort(), expected.sort())
})

test('a member that moves to another chain is forgotten; one that moves to another address has to answer again', t => {
  const driven = new DrivenOverlay()
  const moving = recordOf(700, MAINNET)
  const leaving = recordOf(701, MAINNET)
  driven.befriend([moving.current, leaving.current])
  moving.set({ udp: 33_333 })
  const moved = moving.publish()
  driven.handle({ type: 'node-met', record: moved })
  const distances = [logDistance(driven.record.nodeId, moved.nodeId)]
  const told = answerOf(driven.ask(peer, { type: 'find-nodes', distances }))
  if (told.type !== 'nodes') return t.fail()
  t.false(told.records.some(bytes => toHex(bytes) === toHex(moved.bytes)))
  t.true(talks(driven.pass(100)).some(({ to, message }) => to.endpoint?.port === 33_333 && message.type === 'ping'))
  leaving.set({ p: { rlp: Uint8Array.of(0xc3, 2, 2, 5) } })
  driven.handle({ type: 'node-met', record: leaving.publish() })
  t.is(driven.overlay.record(leaving.current.nodeIdHex), undefined)
})

test('the asker is not told of itself', t => {
  const driven = new DrivenOverlay()
  driven.befriend([peer])
  const distances = [logDistance(driven.record.nodeId, peer.nodeId)]
  t.deepEqual(answerOf(driven.ask(peer, { type: 'find-nodes', distances })), { type: 'nodes', total: 1, records: [] })
  const told = answerOf(driven.ask(other, { type: 'find-nodes', distances }))
  t.deepEqual(told, { type: 'nodes', total: 1, records: [peer.bytes] })
  const question = one(driven.ask(peer, { type: 'find-content', key: keyOf(1) }), 'want-content')
  const answer = answerOf(driven.handle({ type: 'content-read', ref: question.ref, content: undefined }))
  t.deepEqual(answer, { type: 'content', kind: 'records', records: [] })
})

test('a relayed record that stands at no distance that was asked for is left out', t => {
  const driven = new DrivenOverlay()
  const distance = logDistance(peer.nodeId, other.nodeId)
  for (const [ref, distances] of [[distance], [distance === 256 ? 255 : 256]].entries()) {
    const talk = one(driven.handle({ type: 'find-nodes', ref, to: peer, distances }), 'talk')
    const { records } = one(driven.reply(talk.ref, { type: 'nodes', total: 1, records: [other.bytes] }), 'nodes')
    t.deepEqual(
      records.map(record => toHex(record.bytes)),
      ref === 0 ? [toHex(other.bytes)] : [],
    )
  }
})

test('a member that is removed makes room for one in reserve, which is pinged', t => {
  const driven = new DrivenOverlay({ limits: { bucketSize: 2 } })
  // Three of one bucket: the third stands in reserve.
  const three = Array.from({ length: 40 }, (_, index) => recordOf(800 + index, MAINNET).current)
    .filter(record => logDistance(driven.record.nodeId, record.nodeId) === 256)
    .slice(0, 3)
  driven.befriend(three)
  driven.pass(1_000)
  t.is(driven.overlay.record(three[2]!.nodeIdHex), undefined)
  const outputs = driven.handle({ type: 'remove-record', ref: 9, nodeIdHex: three[0]!.nodeIdHex })
  t.like(one(outputs, 'record-removed'), { ref: 9, removed: true })
  t.not(driven.overlay.record(three[2]!.nodeIdHex), undefined)
  t.true(
    talks(driven.pass(10)).some(({ to, message }) => to.nodeIdHex === three[2]!.nodeIdHex && message.type === 'ping'),
  )
  t.like(one(driven.handle({ type: 'remove-record', ref: 10, nodeIdHex: three[0]!.nodeIdHex }), 'record-removed'), {
    removed: false,
  })
})
