import test from 'ava'
import type { NodeRecord } from '../../../src/identity/node-record.ts'
import { MAX_RADIUS } from '../../../src/portal/knowledge/radius.ts'
import type { OverlayOutput } from '../../../src/portal/portal.ts'
import { DrivenOverlay, one, talks } from '../../testing/portal/driven-overlay.ts'
import { contentOf, keyOf, MAINNET, recordOf } from '../../testing/portal/sub-network.ts'

const nodes = Array.from({ length: 12 }, (_, index) => recordOf(400 + index, MAINNET).current)
const key = keyOf(1)
const content = contentOf(key, 3_000)

/** The offers among the outputs. */
const offers = (outputs: readonly OverlayOutput[]) => talks(outputs).filter(({ message }) => message.type === 'offer')

/** A peer offers content, it is taken and comes whole. Returns what follows from that. */
function receive(driven: DrivenOverlay, from: NodeRecord, stored: boolean): OverlayOutput[] {
  const judge = one(driven.ask(from, { type: 'offer', keys: [key] }), 'want-presence')
  const { ref } = one(driven.handle({ type: 'presence', ref: judge.ref, present: [false] }), 'receive')
  const outputs = driven.handle({ type: 'transfer-item', ref, index: 0, content, stored })
  return [...outputs, ...driven.handle({ type: 'transfer-done', ref })]
}

test('content that came is offered to four interested nodes, and not to who sent it', t => {
  // So few that the sender would be among them.
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 5), MAX_RADIUS)
  const sent = offers(receive(driven, nodes[0]!, true))
  t.deepEqual(
    sent.map(({ to }) => to.nodeIdHex).sort(),
    nodes
      .slice(1, 5)
      .map(node => node.nodeIdHex)
      .sort(),
  )
  t.deepEqual(driven.overlay.snapshot().gossip, { items: 1, bytes: 0 }, 'its bytes are in the store')
  const unstored = new DrivenOverlay()
  unstored.befriend(nodes.slice(0, 5), MAX_RADIUS)
  t.is(offers(receive(unstored, nodes[0]!, false)).length, 4)
  t.deepEqual(unstored.overlay.snapshot().gossip, { items: 1, bytes: 3_000 })
})

test('nodes whose radius does not cover it, or is not known, or that have not answered yet, are offered nothing', t => {
  const driven = new DrivenOverlay()
  driven.befriend([nodes[0]!], 0n)
  driven.befriend([nodes[1]!])
  driven.handle({ type: 'add-record', ref: 1, record: nodes[2]! })
  driven.befriend([nodes[3]!], MAX_RADIUS)
  const sent = offers(driven.handle({ type: 'gossip', ref: 9, key, content, lookup: false }))
  t.deepEqual(
    sent.map(({ to }) => to.nodeIdHex),
    [nodes[3]!.nodeIdHex],
  )
})

test('declines send it on to the next candidates; the counts are those of the codes; eight are tried at most', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes, MAX_RADIUS)
  const codes = [1, 2, 3, 4, 5, 6, 99, 0]
  let outputs = driven.handle({ type: 'gossip', ref: 5, key, content, lookup: true })
  const tried = new Set<string>()
  for (const code of codes) {
    const [offer] = offers(outputs)
    if (offer === undefined) return t.fail('expected one more offer')
    t.false(tried.has(offer.to.nodeIdHex))
    tried.add(offer.to.nodeIdHex)
    const rest = outputs.filter(output => !(output.type === 'talk' && output.ref === offer.ref))
    outputs = [...rest, ...driven.reply(offer.ref, { type: 'accept', connectionId: 50, codes: Uint8Array.of(code) })]
  }
  t.like(one(outputs, 'gossiped'), {
    ref: 5,
    peerCount: 8,
    acceptMetadata: {
      acceptedCount: 1,
      genericDeclineCount: 3,
      alreadyStoredCount: 1,
      notWithinRadiusCount: 1,
      rateLimitedCount: 1,
      transferInProgressCount: 1,
    },
  })
  t.is(one(outputs, 'send').items[0]?.content, content)
  t.deepEqual(driven.overlay.snapshot().gossip, { items: 1, bytes: 3_000 }, 'held until it is sent')
  driven.handle({ type: 'transfer-done', ref: one(outputs, 'send').ref })
  t.deepEqual(driven.overlay.snapshot().gossip, { items: 0, bytes: 0 })
})

test('a transfer that breaks is offered to the same peer once more, and no more than once', t => {
  const driven = new DrivenOverlay()
  driven.befriend([nodes[0]!], MAX_RADIUS)
  let outputs = driven.handle({ type: 'gossip', ref: 5, key, content, lookup: false })
  for (let attempt = 0; attempt < 2; attempt++) {
    const [offer] = offers(outputs)
    if (offer === undefined) return t.fail(`expected offer ${attempt}`)
    const send = one(
      driven.reply(offer.ref, { type: 'accept', connectionId: 60 + attempt, codes: Uint8Array.of(0) }),
      'send',
    )
    outputs = driven.handle({ type: 'transfer-failed', ref: send.ref, code: 'STREAM_RESET', blamesContent: false })
  }
  t.deepEqual(offers(outputs), [])
  t.deepEqual(driven.overlay.snapshot().gossip, { items: 0, bytes: 0 })
})

test('an offer that was repeated and meets its own transfer is made again when that has expired, and no third time', t => {
  const driven = new DrivenOverlay()
  driven.befriend([nodes[0]!], MAX_RADIUS)
  const inProgress = { type: 'accept', connectionId: 0, codes: Uint8Array.of(5) } as const
  const loseAnswer = (offer: { readonly ref: number } | undefined) =>
    offers(driven.handle({ type: 'talk-failed', ref: offer!.ref, code: 'REQUEST_TIMEOUT' }))[0]!
  const [first] = offers(driven.handle({ type: 'gossip', ref: 5, key, content, lookup: false }))
  const told = driven.reply(loseAnswer(first).ref, inProgress)
  t.like(one(told, 'gossiped'), { peerCount: 1, acceptMetadata: { transferInProgressCount: 1 } })
  t.deepEqual(offers(driven.pass(14_900)), [])
  t.is(driven.overlay.snapshot().gossip.items, 1)
  const [again] = offers(driven.pass(200))
  t.is(again?.to.nodeIdHex, nodes[0]!.nodeIdHex)
  t.deepEqual(driven.reply(loseAnswer(again).ref, inProgress), [])
  t.is(driven.overlay.snapshot().gossip.items, 0)
  t.deepEqual(offers(driven.pass(20_000)), [])
  // Somebody else's transfer is nothing to wait for.
  const [plain] = offers(driven.handle({ type: 'gossip', ref: 6, key, content, lookup: false }))
  driven.reply(plain!.ref, inProgress)
  t.is(driven.overlay.snapshot().gossip.items, 0)
})

test('a node that had no room lately comes last', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 8), MAX_RADIUS)
  const first = offers(driven.handle({ type: 'gossip', ref: 1, key, content, lookup: false }))
  const busy = new Set(first.map(({ to }) => to.nodeIdHex))
  for (const { ref } of first) driven.reply(ref, { type: 'accept', connectionId: 0, codes: Uint8Array.of(4) })
  const second = offers(driven.handle({ type: 'gossip', ref: 2, key: keyOf(2), content, lookup: false }))
  t.is(second.length, 4)
  t.true(second.every(({ to }) => !busy.has(to.nodeIdHex)))
})

test('items for a peer whose slots are taken wait, and leave together', t => {
  const driven = new DrivenOverlay({ limits: { offersToPeer: 1 } })
  driven.befriend([nodes[0]!], MAX_RADIUS)
  const put = (number: number) =>
    driven.handle({ type: 'gossip', ref: number, key: keyOf(number), content: undefined, lookup: false })
  const [first] = offers(put(1))
  for (let number = 2; number <= 80; number++) t.deepEqual(offers(put(number)), [])
  t.is(driven.overlay.snapshot().outbox, 79)
  const outputs = driven.reply(first!.ref, { type: 'accept', connectionId: 0, codes: Uint8Array.of(2) })
  const [second] = offers(outputs)
  if (second?.message.type !== 'offer') return t.fail()
  t.is(second.message.keys.length, 64)
  t.is(driven.overlay.snapshot().outbox, 15)
})

test('too many items or bytes in gossip: a typed failure', t => {
  const few = new DrivenOverlay({ limits: { gossipItems: 1 } })
  few.befriend([nodes[0]!], MAX_RADIUS)
  few.handle({ type: 'gossip', ref: 1, key, content, lookup: false })
  t.like(one(few.handle({ type: 'gossip', ref: 2, key: keyOf(2), content, lookup: false }), 'failed'), {
    code: 'TRANSFER_LIMIT',
  })
  const small = new DrivenOverlay({ limits: { gossipBytes: 4_000 } })
  small.befriend([nodes[0]!], MAX_RADIUS)
  small.handle({ type: 'gossip', ref: 1, key, content, lookup: false })
  t.like(one(small.handle({ type: 'gossip', ref: 2, key: keyOf(2), content, lookup: true }), 'failed'), {
    code: 'TRANSFER_LIMIT',
  })
  // In the store it takes no memory.
  t.is(offers(small.handle({ type: 'gossip', ref: 3, key: keyOf(3), content: undefined, lookup: false })).length, 1)
})

test('nobody to offer to: settled at once with no peers', t => {
  const driven = new DrivenOverlay()
  for (const lookup of [false, true]) {
    const outputs = driven.handle({ type: 'gossip', ref: 1, key, content, lookup })
    t.like(one(outputs, 'gossiped'), { ref: 1, peerCount: 0 })
  }
})
