import test from 'ava'
import type { OverlayCounterName } from '../../../src/portal/portal.ts'
import { encodeMessage } from '../../../src/portal/wire/message.ts'
import { answerOf, DrivenOverlay, one } from '../../testing/portal/driven-overlay.ts'
import { contentOf, keyOf, recordOf, type Versions } from '../../testing/portal/sub-network.ts'

const legacy = (min: number, max: number): Versions => ({ min, max, chainId: undefined })
const current = (min: number, max: number, chainId = 1n): Versions => ({ min, max, chainId })

// nimbus' test_portal_wire_version.nim, and the combinations that it leaves out.
const negotiations: readonly (readonly [string, Versions, Versions | undefined, number | string])[] = [
  ['no Portal entry is version 0', current(0, 1), undefined, 0],
  ['versions above ours, other chain', current(0, 1), current(2, 255, 2n), 'PORTAL_CHAIN_MISMATCH'],
  ['1 to 3 with 0 to 1', current(0, 1), current(1, 3), 1],
  ['0 to 3 with 0 to 2', current(0, 2), current(0, 3), 2],
  ['1 to 3 on another chain', current(0, 1), current(1, 3, 2n), 'PORTAL_CHAIN_MISMATCH'],
  ['pv [0] with 0 to 2', current(0, 2), legacy(0, 0), 0],
  ['pv [0, 1] with 0 to 2', current(0, 2), legacy(0, 1), 1],
  ['pv [1] with 0 to 2', current(0, 2), legacy(1, 1), 1],
  ['nimbus, 2 to 2', current(0, 2), current(2, 2), 2],
  ['pv [0, 1] with 2 to 2', current(2, 2), legacy(0, 1), 'PORTAL_VERSION_MISMATCH'],
  ['no Portal entry with 2 to 2', current(2, 2), undefined, 'PORTAL_VERSION_MISMATCH'],
  ['pv [0, 1] on Sepolia', current(0, 2, 11155111n), legacy(0, 1), 'PORTAL_CHAIN_MISMATCH'],
]

for (const [name, own, theirs, expected] of negotiations) {
  test(`version: ${name}`, t => {
    const bench = new DrivenOverlay({ versions: own })
    const them = recordOf(2, theirs).current
    const ref = 77
    const outputs = bench.handle({
      type: 'offer',
      ref,
      to: them,
      items: [{ key: keyOf(1), content: contentOf(keyOf(1), 20) }],
    })
    const incoming = bench.ask(them, { type: 'find-nodes', distances: [0] }, 2)
    const added = one(bench.handle({ type: 'add-record', ref: 1, record: them }), 'record-added').added
    if (typeof expected === 'string') {
      t.like(one(outputs, 'failed'), { ref, code: expected })
      t.is(one(incoming, 'answer-talk').payload.length, 0)
      t.is(bench.overlay.snapshot().counters[`refused.${expected}` as OverlayCounterName], 1)
      t.false(added)
      return
    }
    t.true(added)
    t.is(answerOf(incoming).type, 'nodes')
    // Their ACCEPT is a bit list at version 0 and a byte list from version 1.
    const { ref: talk } = one(outputs, 'talk')
    const accept = encodeMessage({ type: 'accept', connectionId: 300, codes: Uint8Array.of(0) }, expected)
    const send = one(bench.handle({ type: 'talk-answered', ref: talk, payload: accept }), 'send')
    t.like(send, { version: expected, prefixed: true, connectionId: 300 })
    t.like(one(bench.handle({ type: 'transfer-done', ref: send.ref }), 'offered'), { ref, codes: Uint8Array.of(0) })
  })
}

test('FIND_CONTENT over uTP has a length prefix from version 1, both ways', t => {
  for (const version of [0, 1, 2]) {
    const bench = new DrivenOverlay()
    const them = recordOf(2, current(version, version)).current
    const asked = one(bench.ask(them, { type: 'find-content', key: keyOf(1) }, version), 'want-content')
    const given = bench.handle({ type: 'content-read', ref: asked.ref, content: contentOf(keyOf(1), 2_000) })
    t.is(given[0]?.type, 'serve', 'the stream is awaited before the peer hears of it')
    const serve = one(given, 'serve')
    t.is(serve.prefixed, version > 0)
    t.like(answerOf(given, version), { type: 'content', kind: 'connection-id', connectionId: serve.connectionId })
    const { ref } = one(bench.handle({ type: 'find-content', ref: 1, to: them, key: keyOf(2) }), 'talk')
    const payload = encodeMessage({ type: 'content', kind: 'connection-id', connectionId: 9 }, version)
    t.like(one(bench.handle({ type: 'talk-answered', ref, payload }), 'fetch'), {
      prefixed: version > 0,
      version,
      connectionId: 9,
    })
  }
})

test('a malformed Portal entry is no version 0', t => {
  const bench = new DrivenOverlay()
  for (const [number, p] of [Uint8Array.of(0xc0), Uint8Array.of(0xc3, 2, 1, 1)].entries()) {
    const broken = recordOf(20 + number, undefined)
    broken.set({ p: { rlp: p } })
    const outputs = bench.handle({ type: 'ping', ref: number, to: broken.publish() })
    t.like(one(outputs, 'failed'), { code: 'PORTAL_VERSION_MISMATCH' })
  }
})
