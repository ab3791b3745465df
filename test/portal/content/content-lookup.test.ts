import test from 'ava'
import { compareDistance } from '../../../src/identity/distances.ts'
import { MAX_RADIUS } from '../../../src/portal/knowledge/radius.ts'
import type { OverlayOutput } from '../../../src/portal/portal.ts'
import { DrivenOverlay, one, talks } from '../../testing/portal/driven-overlay.ts'
import { contentIdOf, contentOf, keyOf, MAINNET, recordOf } from '../../testing/portal/sub-network.ts'

const key = keyOf(1)
const contentId = contentIdOf(key)!
/** The closest first. */
const nodes = Array.from({ length: 30 }, (_, index) => recordOf(500 + index, MAINNET).current).sort((a, b) =>
  compareDistance(contentId, a.nodeId, b.nodeId),
)

const unavailable = (ref: number) =>
  ({ type: 'verdict', ref, valid: false, code: 'HEADER_UNAVAILABLE', blamesContent: false }) as const
const invalid = (ref: number) =>
  ({ type: 'verdict', ref, valid: false, code: 'TRANSACTIONS_ROOT_WRONG', blamesContent: true }) as const

const asked = (outputs: readonly OverlayOutput[]) =>
  talks(outputs).filter(({ message }) => message.type === 'find-content')

test('three nodes are asked at a time, the closest first; while a young transfer goes on nobody else is', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes)
  const first = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  t.deepEqual(
    first.map(({ to }) => to.nodeIdHex),
    nodes.slice(0, 3).map(node => node.nodeIdHex),
  )
  const fetch = one(driven.reply(first[0]!.ref, { type: 'content', kind: 'connection-id', connectionId: 11 }), 'fetch')
  const second = driven.reply(first[1]!.ref, { type: 'content', kind: 'connection-id', connectionId: 12 })
  t.deepEqual(second, [], 'the second source waits for its turn')
  t.deepEqual(driven.reply(first[2]!.ref, { type: 'content', kind: 'records', records: [] }), [])
  // The first breaks: the second is followed at once, on the id that it gave.
  const outputs = driven.handle({ type: 'transfer-failed', ref: fetch.ref, code: 'STREAM_RESET', blamesContent: false })
  t.like(one(outputs, 'fetch'), { connectionId: 12, peer: { nodeIdHex: nodes[1]!.nodeIdHex } })
  const { ref } = one(outputs, 'fetch')
  const found = driven.handle({ type: 'transfer-item', ref, index: 0, content: contentOf(key, 2_000), stored: true })
  t.like(one(found, 'found'), { ref: 1, utpTransfer: true, queries: 3 })
  t.deepEqual(driven.handle({ type: 'transfer-done', ref }), [])
  t.is(driven.overlay.snapshot().transfers.fetch, 0)
})

test('a connection id that has waited too long is not used; the lookup asks on', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes)
  const first = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  const fetch = one(driven.reply(first[0]!.ref, { type: 'content', kind: 'connection-id', connectionId: 11 }), 'fetch')
  driven.reply(first[1]!.ref, { type: 'content', kind: 'connection-id', connectionId: 12 })
  driven.pass(9_000)
  const outputs = driven.handle({ type: 'transfer-failed', ref: fetch.ref, code: 'STREAM_RESET', blamesContent: false })
  t.is(outputs.filter(output => output.type === 'fetch').length, 0)
  t.true(asked(outputs).length > 0)
})

test('a transfer that takes long does not keep others from being asked; the first content that comes ends the rest', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes)
  const first = asked(driven.handle({ type: 'lookup-content', ref: 1, key, startedAtMs: 0 }))
  const slow = one(driven.reply(first[0]!.ref, { type: 'content', kind: 'connection-id', connectionId: 11 }), 'fetch')
  driven.reply(first[1]!.ref, { type: 'content', kind: 'records', records: [] })
  const later = asked(driven.pass(10_500))
  t.true(later.length > 0)
  const quick = one(driven.reply(later[0]!.ref, { type: 'content', kind: 'connection-id', connectionId: 13 }), 'fetch')
  const content = contentOf(key, 2_000)
  const outputs = driven.handle({ type: 'transfer-item', ref: quick.ref, index: 0, content, stored: true })
  t.like(one(outputs, 'cancel-transfer'), { ref: slow.ref })
  const found = one(outputs, 'found')
  t.true(found.trace?.cancelled.includes(first[0]!.to.nodeIdHex))
  t.is(found.trace?.receivedFrom, later[0]!.to.nodeIdHex)
  t.deepEqual(driven.handle({ type: 'transfer-done', ref: slow.ref }), [], 'what was cancelled may still be reported')
})

test('peers that promise the content and do not send it do not hold a lookup: the oldest is given up for the next', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes)
  let questions = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  const moments: number[] = []
  const cancelled: number[] = []
  const fetches: number[] = []
  for (let connectionId = 11; fetches.length < 6; connectionId += 10) {
    const [question, ...others] = questions
    const outputs = [...driven.reply(question!.ref, { type: 'content', kind: 'connection-id', connectionId })]
    for (const { ref } of others) outputs.push(...driven.reply(ref, { type: 'content', kind: 'records', records: [] }))
    fetches.push(one(outputs, 'fetch').ref)
    for (const output of outputs) if (output.type === 'cancel-transfer') cancelled.push(output.ref)
    moments.push(driven.now)
    t.true(driven.overlay.snapshot().transfers.fetch <= 2)
    questions = []
    while (questions.length === 0 && fetches.length < 6) questions = asked(driven.pass(1_000))
  }
  const waits = moments.slice(1).map((moment, index) => Math.floor((moment - moments[index]!) / 10_000))
  t.deepEqual(waits, [1, 1, 2, 4, 6], 'each gets longer than the one before')
  t.deepEqual(cancelled, fetches.slice(0, 4))
  // One of those under way brings it after all.
  const content = contentOf(key, 2_000)
  const outputs = driven.handle({ type: 'transfer-item', ref: fetches[4]!, index: 0, content, stored: true })
  t.like(one(outputs, 'found'), { ref: 1, utpTransfer: true })
  t.like(one(outputs, 'cancel-transfer'), { ref: fetches[5]! })
})

test('two slow transfers go on while nobody else has the content', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 6))
  const [first, ...others] = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  driven.reply(first!.ref, { type: 'content', kind: 'connection-id', connectionId: 11 })
  for (const { ref } of others) driven.reply(ref, { type: 'content', kind: 'records', records: [] })
  const [next, ...rest] = asked(driven.pass(10_500))
  const slow = one(driven.reply(next!.ref, { type: 'content', kind: 'connection-id', connectionId: 21 }), 'fetch')
  for (const { ref } of rest) driven.reply(ref, { type: 'content', kind: 'records', records: [] })
  const outputs = driven.pass(100_000)
  t.deepEqual(
    outputs.filter(output => output.type === 'cancel-transfer' || output.type === 'failed'),
    [],
  )
  const content = contentOf(key, 2_000)
  t.like(one(driven.handle({ type: 'transfer-item', ref: slow.ref, index: 0, content, stored: true }), 'found'), {
    ref: 1,
  })
})

test('content inside the answer is judged before a stream is opened; without its header the lookup ends', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes)
  const [first] = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  const content = contentOf(key, 900)
  const validate = one(driven.reply(first!.ref, { type: 'content', kind: 'inline', content }), 'validate')
  t.deepEqual(validate.content, content)
  const outputs = driven.handle(unavailable(validate.ref))
  t.like(one(outputs, 'failed'), { ref: 1, code: 'HEADER_UNAVAILABLE' })
  t.not(driven.overlay.record(first!.to.nodeIdHex), undefined, 'that was not the fault of the peer')
})

test('when the sixteen closest have it not, nodes further away whose radius covers it are asked', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 20))
  // The table may have put some of the furthest into its reserve: take one that is a member.
  const far = nodes.slice(20).find(node => {
    driven.befriend([node], MAX_RADIUS)
    return driven.overlay.record(node.nodeIdHex) !== undefined
  })!
  let outputs = driven.handle({ type: 'lookup-content', ref: 1, key })
  const order: string[] = []
  while (asked(outputs).length > 0) {
    const [question] = asked(outputs)
    order.push(question!.to.nodeIdHex)
    const rest = outputs.filter(output => !(output.type === 'talk' && output.ref === question!.ref))
    outputs = [...rest, ...driven.reply(question!.ref, { type: 'content', kind: 'records', records: [] })]
  }
  t.is(order.indexOf(far.nodeIdHex), order.length - 1, 'last')
  t.is(new Set(order).size, order.length, 'nobody twice')
  t.like(one(outputs, 'failed'), { ref: 1, code: 'CONTENT_NOT_FOUND' })
})

test('a question that gets no answer is asked again once, unless nobody waits for it any more', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 1))
  const [first] = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  const [second] = asked(driven.handle({ type: 'talk-failed', ref: first!.ref, code: 'REQUEST_TIMEOUT' }))
  t.is(second?.to.nodeIdHex, first!.to.nodeIdHex)
  t.not(second?.ref, first!.ref)
  driven.handle({ type: 'cancel', ref: 1 })
  t.deepEqual(driven.handle({ type: 'talk-failed', ref: second!.ref, code: 'REQUEST_TIMEOUT' }), [])
})

/** Lets whatever is asked go unanswered; gives back how often that was, and what came last. */
function leaveUnanswered(driven: DrivenOverlay, outputs: readonly OverlayOutput[]) {
  let last = outputs
  let questions = 0
  for (let [question] = asked(last); question !== undefined; [question] = asked(last)) {
    questions += 1
    driven.now += 2_500
    last = driven.handle({ type: 'talk-failed', ref: question.ref, code: 'REQUEST_TIMEOUT' })
  }
  return { questions, last }
}

test('a member that is busy for a while is reminded: two times, each question twice; who was silent before is not', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 1))
  const { questions, last } = leaveUnanswered(driven, driven.handle({ type: 'lookup-content', ref: 1, key }))
  t.is(questions, 6)
  const failed = one(last, 'failed')
  t.like(failed, { ref: 1, code: 'CONTENT_NOT_FOUND' })
  t.regex(failed.detail, /1 of them did not answer/)
  t.is(driven.counter('lookup.reminded'), 2)
  const again = leaveUnanswered(driven, driven.handle({ type: 'lookup-content', ref: 2, key }))
  t.is(again.questions, 2, 'it was silent three times before this lookup')
  t.like(one(again.last, 'failed'), { ref: 2, code: 'CONTENT_NOT_FOUND' })
})

test('a member that answers the reminder gives the content', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 2))
  const [first, second] = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  driven.reply(second!.ref, { type: 'content', kind: 'records', records: [] })
  const [repeated] = asked(driven.handle({ type: 'talk-failed', ref: first!.ref, code: 'REQUEST_TIMEOUT' }))
  const reminders = asked(driven.handle({ type: 'talk-failed', ref: repeated!.ref, code: 'REQUEST_TIMEOUT' }))
  t.deepEqual(
    reminders.map(({ to }) => to.nodeIdHex),
    [first!.to.nodeIdHex],
    'who answered is not asked again',
  )
  const fetch = one(
    driven.reply(reminders[0]!.ref, { type: 'content', kind: 'connection-id', connectionId: 11 }),
    'fetch',
  )
  const content = contentOf(key, 2_000)
  const found = driven.handle({ type: 'transfer-item', ref: fetch.ref, index: 0, content, stored: true })
  t.like(one(found, 'found'), { ref: 1, utpTransfer: true })
})

test('its answer was lost and its second answer gives nothing: it is asked once more when it waits for us no longer', t => {
  const driven = new DrivenOverlay()
  const [holder] = nodes
  driven.befriend([holder!], MAX_RADIUS)
  const ask = (ref: number) => {
    const [first] = asked(driven.handle({ type: 'lookup-content', ref, key }))
    const [second] = asked(driven.handle({ type: 'talk-failed', ref: first!.ref, code: 'REQUEST_TIMEOUT' }))
    return driven.reply(second!.ref, { type: 'content', kind: 'records', records: [] })
  }
  t.deepEqual(ask(1), [])
  t.deepEqual(asked(driven.pass(14_900)), [])
  const [third] = asked(driven.pass(200))
  t.is(third?.to.nodeIdHex, holder!.nodeIdHex)
  const { ref } = one(driven.reply(third!.ref, { type: 'content', kind: 'connection-id', connectionId: 9 }), 'fetch')
  const found = driven.handle({ type: 'transfer-item', ref, index: 0, content: contentOf(key, 2_000), stored: true })
  t.like(one(found, 'found'), { ref: 1, utpTransfer: true })
  t.deepEqual(talks(found), [], 'nobody lacked it')
  driven.handle({ type: 'transfer-done', ref })
  // Where it has nothing after all, the lookup ends with the third answer.
  t.deepEqual(ask(2), [])
  const [again] = asked(driven.pass(15_100))
  const ended = driven.reply(again!.ref, { type: 'content', kind: 'records', records: [] })
  t.like(one(ended, 'failed'), { ref: 2, code: 'CONTENT_NOT_FOUND' })
  // A caller that goes is not waited for.
  t.deepEqual(ask(3), [])
  driven.handle({ type: 'cancel', ref: 3 })
  t.deepEqual(asked(driven.pass(15_100)), [])
})

test('the only node that has it could not send it: it is asked once more when nobody else is left, and no third time', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes.slice(0, 1))
  let outputs = driven.handle({ type: 'lookup-content', ref: 1, key })
  for (const connectionId of [11, 21]) {
    const [question] = asked(outputs)
    if (question === undefined) return t.fail(`expected a question before ${connectionId}`)
    const fetch = one(driven.reply(question.ref, { type: 'content', kind: 'connection-id', connectionId }), 'fetch')
    outputs = driven.handle({
      type: 'transfer-failed',
      ref: fetch.ref,
      code: 'STREAM_CONNECT_TIMEOUT',
      blamesContent: false,
    })
  }
  t.like(one(outputs, 'failed'), { ref: 1, code: 'CONTENT_NOT_FOUND' })
  // What is not valid is not asked for again.
  const [question] = asked(driven.handle({ type: 'lookup-content', ref: 2, key }))
  const { ref } = one(
    driven.reply(question!.ref, { type: 'content', kind: 'inline', content: new Uint8Array(9) }),
    'validate',
  )
  t.like(one(driven.handle(invalid(ref)), 'failed'), { ref: 2 })
})

test('more lookups than slots: the others wait for theirs, and use the connection id that they were given', t => {
  const driven = new DrivenOverlay({ limits: { fetches: 1 } })
  driven.befriend(nodes.slice(0, 1))
  const [first, second] = [keyOf(1), keyOf(2)].map((wanted, index) => {
    return asked(driven.handle({ type: 'lookup-content', ref: index, key: wanted }))[0]!.ref
  })
  const fetch = one(driven.reply(first!, { type: 'content', kind: 'connection-id', connectionId: 11 }), 'fetch')
  t.deepEqual(driven.reply(second!, { type: 'content', kind: 'connection-id', connectionId: 21 }), [])
  t.is(driven.pass(3_000).filter(output => output.type === 'fetch').length, 0)
  driven.handle({ type: 'transfer-item', ref: fetch.ref, index: 0, content: contentOf(key, 2_000), stored: true })
  driven.handle({ type: 'transfer-done', ref: fetch.ref })
  t.like(one(driven.pass(300), 'fetch'), { connectionId: 21 })
})

test('more lookups than run at a time: the others wait in their order, and may be cancelled; too many are refused', t => {
  const driven = new DrivenOverlay({ limits: { contentLookups: 2, waitingLookups: 3 } })
  driven.befriend(nodes.slice(0, 1))
  const outputs = [1, 2, 3, 4, 5, 6].map(ref => driven.handle({ type: 'lookup-content', ref, key: keyOf(ref) }))
  t.deepEqual(
    outputs.map(made => asked(made).length),
    [1, 1, 0, 0, 0, 0],
  )
  t.like(one(outputs[5]!, 'failed'), { ref: 6, code: 'REQUEST_LIMIT' })
  t.like(one(driven.handle({ type: 'cancel', ref: 4 }), 'failed'), { ref: 4, code: 'ASK_ABORTED' })
  const keys: number[] = []
  let [question] = asked(outputs[0]!)
  while (question !== undefined) {
    const answered = driven.reply(question.ref, { type: 'content', kind: 'records', records: [] })
    question = asked(answered)[0]
    if (question?.message.type === 'find-content') keys.push(question.message.key[1]!)
  }
  t.deepEqual(keys, [3, 5])
  t.like(one(driven.handle({ type: 'cancel', ref: 2 }), 'failed'), { ref: 2 })
  t.deepEqual([driven.overlay.snapshot().contentLookups, driven.overlay.snapshot().waitingLookups], [0, 0])
})

test('thousands of lookups wait when the last node is lost: all end, in one turn', t => {
  const driven = new DrivenOverlay({ limits: { contentLookups: 1 } })
  driven.befriend(nodes.slice(0, 1))
  const [first] = asked(driven.handle({ type: 'lookup-content', ref: 0, key }))
  for (let ref = 1; ref <= 4_000; ref++) driven.handle({ type: 'lookup-content', ref, key })
  driven.handle({ type: 'remove-record', ref: 1e6, nodeIdHex: nodes[0]!.nodeIdHex })
  const outputs = driven.handle({ type: 'talk-failed', ref: first!.ref, code: 'REQUEST_TIMEOUT' })
  t.is(outputs.filter(output => output.type === 'failed').length, 4_001)
  t.is(driven.overlay.snapshot().calls, 0)
})

test('connection ids that are not used are given back: when the content has come, and when an answer comes after it', t => {
  const driven = new DrivenOverlay()
  driven.befriend(nodes)
  const [first, second, third] = asked(driven.handle({ type: 'lookup-content', ref: 1, key }))
  const { ref } = one(driven.reply(first!.ref, { type: 'content', kind: 'connection-id', connectionId: 11 }), 'fetch')
  driven.reply(second!.ref, { type: 'content', kind: 'connection-id', connectionId: 12 })
  const outputs = driven.handle({ type: 'transfer-item', ref, index: 0, content: contentOf(key, 2_000), stored: true })
  t.like(one(outputs, 'decline'), { connectionId: 12, peer: { nodeIdHex: second!.to.nodeIdHex } })
  const late = driven.reply(third!.ref, { type: 'content', kind: 'connection-id', connectionId: 13 })
  t.like(one(late, 'decline'), { connectionId: 13, peer: { nodeIdHex: third!.to.nodeIdHex } })
})
