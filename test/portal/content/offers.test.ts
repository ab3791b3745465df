import test from 'ava'
import { toHex } from '../../../src/codec/hex.ts'
import type { NodeRecord } from '../../../src/identity/node-record.ts'
import type { OverlayOutput } from '../../../src/portal/portal.ts'
import { encodeMessage } from '../../../src/portal/wire/message.ts'
import { answerOf, DrivenOverlay, one, other, peer } from '../../testing/portal/driven-overlay.ts'
import { contentOf, keyOf, MAINNET, recordOf } from '../../testing/portal/sub-network.ts'

test('OFFER: each key gets its code, one transfer brings what was taken, and its end frees all', t => {
  const bench = new DrivenOverlay()
  const wrong = Uint8Array.of(9)
  const keys = [keyOf(1), wrong, keyOf(2), keyOf(1), keyOf(3)]
  const judge = one(bench.ask(peer, { type: 'offer', keys }), 'want-presence')
  t.deepEqual(
    judge.items.map(item => toHex(item.key)),
    [keyOf(1), keyOf(2), keyOf(3)].map(key => toHex(key)),
  )
  const outputs = bench.handle({ type: 'presence', ref: judge.ref, present: [false, true, false] })
  t.is(outputs[0]?.type, 'receive', 'the stream is awaited before the peer hears of it')
  const receive = one(outputs, 'receive')
  const accept = answerOf(outputs)
  if (accept.type !== 'accept') return t.fail()
  t.deepEqual([...accept.codes], [0, 6, 2, 5, 0])
  t.is(accept.connectionId, receive.connectionId)
  t.not(accept.connectionId, 0)
  t.is(receive.items.length, 2)

  // Somebody else offers the same content: code 5, without a question. The same peer again at once: the same answer.
  t.deepEqual(answerOf(bench.ask(other, { type: 'offer', keys: [keyOf(3)] })), {
    type: 'accept',
    connectionId: 0,
    codes: Uint8Array.of(5),
  })
  t.deepEqual(answerOf(bench.ask(peer, { type: 'offer', keys })), accept)
  // The peer has connected: a second offer cannot use the connection id of the first answer, even during validation.
  bench.handle({ type: 'transfer-begun', ref: receive.ref })
  t.deepEqual(answerOf(bench.ask(peer, { type: 'offer', keys: [keyOf(1), keyOf(3)] })), {
    type: 'accept',
    connectionId: 0,
    codes: Uint8Array.of(5, 5),
  })
  const repeated = one(bench.ask(peer, { type: 'offer', keys }), 'want-presence')
  const second = answerOf(bench.handle({ type: 'presence', ref: repeated.ref, present: [true] }))
  t.deepEqual(second, { type: 'accept', connectionId: 0, codes: Uint8Array.of(5, 6, 2, 5, 5) })
  bench.handle({ type: 'transfer-item', ref: receive.ref, index: 0, content: contentOf(keyOf(1), 50), stored: true })
  t.deepEqual(
    [...(answerOf(bench.ask(other, { type: 'offer', keys: [keyOf(3)] })) as { codes: Uint8Array }).codes],
    [5],
  )
  const again = one(bench.ask(other, { type: 'offer', keys: [keyOf(1)] }), 'want-presence')
  t.is(again.items.length, 1, "what came is the store's to know")
  bench.handle({ type: 'transfer-failed', ref: receive.ref, code: 'STREAM_RESET', blamesContent: false })
  t.is(bench.overlay.snapshot().transfers.receive, 0)
  t.is(one(bench.ask(other, { type: 'offer', keys: [keyOf(3)] }), 'want-presence').items.length, 1)
})

test('content that one peer has promised and does not send is taken from another after a while', t => {
  const bench = new DrivenOverlay()
  const offer = (from: NodeRecord): number => {
    const outputs = bench.ask(from, { type: 'offer', keys: [keyOf(1)] })
    if (outputs.some(output => output.type === 'answer-talk')) return codeOf(outputs)
    const { ref } = one(outputs, 'want-presence')
    const judged = bench.handle({ type: 'presence', ref, present: [false] })
    for (const output of judged) if (output.type === 'receive') transfers.push(output.ref)
    return codeOf(judged)
  }
  const codeOf = (outputs: readonly OverlayOutput[]): number => {
    const answer = answerOf(outputs)
    return answer.type === 'accept' ? answer.codes[0]! : -1
  }
  const transfers: number[] = []
  const third = recordOf(4, MAINNET).current
  t.is(offer(peer), 0)
  bench.pass(14_000)
  t.is(offer(other), 5)
  bench.pass(2_000)
  t.is(offer(other), 0)
  t.is(offer(third), 5, 'it is the turn of the second')
  // The end of the first says nothing of the second.
  bench.handle({ type: 'transfer-failed', ref: transfers[0]!, code: 'STREAM_IDLE', blamesContent: false })
  t.is(offer(third), 5)
  bench.handle({ type: 'transfer-failed', ref: transfers[1]!, code: 'STREAM_IDLE', blamesContent: false })
  t.is(offer(third), 0)
})

test('OFFER outside of the radius: code 3; beyond the limit of transfers: code 4; all from a store that is silent: code 1', t => {
  const far = new DrivenOverlay({ radius: 0n })
  t.deepEqual(answerOf(far.ask(peer, { type: 'offer', keys: [keyOf(1), keyOf(2)] })), {
    type: 'accept',
    connectionId: 0,
    codes: Uint8Array.of(3, 3),
  })
  const bench = new DrivenOverlay({ limits: { receives: 2, receivesOfPeer: 1 } })
  const offer = (from: NodeRecord, number: number) => {
    const outputs = bench.ask(from, { type: 'offer', keys: [keyOf(number)] })
    const judge = outputs.find(output => output.type === 'want-presence')
    const answered =
      judge === undefined ? outputs : bench.handle({ type: 'presence', ref: judge.ref, present: [false] })
    const answer = answerOf(answered)
    return answer.type === 'accept' ? answer.codes[0] : undefined
  }
  t.is(offer(peer, 1), 0)
  t.is(offer(peer, 2), 4, 'one of a peer')
  t.is(offer(other, 3), 0)
  t.is(offer(recordOf(4, MAINNET).current, 4), 4, 'two in all')

  const slow = new DrivenOverlay()
  t.is(slow.ask(peer, { type: 'offer', keys: [keyOf(1)] }).filter(output => output.type === 'answer-talk').length, 0)
  const late = slow.pass(10_000).filter(output => output.type === 'answer-talk')
  t.deepEqual(answerOf(late), { type: 'accept', connectionId: 0, codes: Uint8Array.of(1) })
})

test('fifty offers of one peer at once are taken, as nimbus makes them when its user puts fifty items', t => {
  const bench = new DrivenOverlay()
  const codes = Array.from({ length: 50 }, (_, number) => {
    const judge = one(bench.ask(peer, { type: 'offer', keys: [keyOf(number)] }), 'want-presence')
    const answer = answerOf(bench.handle({ type: 'presence', ref: judge.ref, present: [false] }))
    return answer.type === 'accept' ? answer.codes[0] : undefined
  })
  t.deepEqual([...new Set(codes)], [0])
})

test('an ACCEPT of another length, or of codes above 6: the offer fails, or they are declines', t => {
  const bench = new DrivenOverlay()
  const items = [keyOf(1), keyOf(2)].map(key => ({ key, content: contentOf(key, 20) }))
  const answer = (ref: number, codes: number[]) => {
    const talk = one(bench.handle({ type: 'offer', ref, to: peer, items }), 'talk')
    const payload = encodeMessage({ type: 'accept', connectionId: 5, codes: Uint8Array.from(codes) }, 2)
    return bench.handle({ type: 'talk-answered', ref: talk.ref, payload })
  }
  t.like(one(answer(1, [0]), 'failed'), { ref: 1, code: 'PORTAL_MESSAGE_MALFORMED' })
  t.like(one(answer(2, [7, 255]), 'offered'), { ref: 2, codes: Uint8Array.of(7, 255) })
  const outputs = answer(3, [200, 0])
  t.is(one(outputs, 'send').items.length, 1)
  t.is(toHex(one(outputs, 'send').items[0]!.key), toHex(keyOf(2)))
  t.is(outputs.filter(output => output.type === 'offered').length, 0, 'settled only when it is sent')
})
