import test from 'ava'
import type { OverlayInput } from '../../../src/portal/portal.ts'
import { DrivenOverlay, one, peer } from '../../testing/portal/driven-overlay.ts'
import { contentOf, keyOf } from '../../testing/portal/sub-network.ts'

const key = keyOf(1)
const content = contentOf(key, 900)

/** A user's FIND_CONTENT that the peer answers with the content itself. */
function findInline(driven: DrivenOverlay, ref: number) {
  const talk = one(driven.handle({ type: 'find-content', ref, to: peer, key }), 'talk')
  if (talk.ref !== ref) throw new Error('expected the number of the call to travel down')
  return one(driven.reply(talk.ref, { type: 'content', kind: 'inline', content }), 'validate')
}

test('valid content is stored before its caller gets it, and one number goes all the way', t => {
  const driven = new DrivenOverlay()
  const validate = findInline(driven, 7)
  t.is(validate.ref, 7)
  const keep = one(driven.handle({ type: 'verdict', ref: 7, valid: true }), 'keep')
  t.is(keep.ref, 7)
  t.deepEqual(keep.content, content)
  const found = one(driven.handle({ type: 'content-kept', ref: 7 }), 'found')
  t.deepEqual([found.ref, found.content], [7, content])
})

test('content is no less valid if the store cannot write it, or does not answer', t => {
  const driven = new DrivenOverlay({ limits: { validationTimeoutMs: 5_000 } })
  findInline(driven, 1)
  driven.handle({ type: 'verdict', ref: 1, valid: true })
  t.is(one(driven.handle({ type: 'keep-failed', ref: 1 }), 'found').ref, 1)
  findInline(driven, 2)
  driven.handle({ type: 'verdict', ref: 2, valid: true })
  t.is(one(driven.pass(5_000), 'found').ref, 2)
})

test('content that is not what its key names is not stored, and costs its sender the place in the table', t => {
  for (const [failure, isKept] of [
    [{ code: 'TRANSACTIONS_ROOT_WRONG', blamesContent: true }, false],
    [{ code: 'BODY_MALFORMED', blamesContent: true }, false],
    [{ code: 'HEADER_UNAVAILABLE', blamesContent: false }, true],
    [{ code: 'VALIDATION_LIMIT', blamesContent: false }, true],
  ] as const) {
    const driven = new DrivenOverlay()
    driven.befriend([peer])
    const { ref } = findInline(driven, 3)
    const verdict: OverlayInput = { type: 'verdict', ref, valid: false, ...failure }
    t.like(one(driven.handle(verdict), 'failed'), { ref: 3, code: failure.code })
    t.is(driven.overlay.record(peer.nodeIdHex) !== undefined, isKept, failure.code)
    t.is(driven.counter('distrusted'), isKept ? 0 : 1)
    const name = failure.blamesContent ? 'content-invalid' : failure.code
    t.is(driven.counter(`retrieval.failed.${name}`), 1)
  }
})

test('the same for content over uTP, fetched or offered', t => {
  const wrong = { code: 'RECEIPTS_ROOT_WRONG', blamesContent: true } as const
  const driven = new DrivenOverlay()
  driven.befriend([peer])
  const talk = one(driven.handle({ type: 'find-content', ref: 4, to: peer, key }), 'talk')
  const fetch = one(driven.reply(talk.ref, { type: 'content', kind: 'connection-id', connectionId: 9 }), 'fetch')
  t.is(fetch.ref, 4)
  driven.handle({ type: 'transfer-failed', ref: 4, ...wrong })
  t.is(driven.overlay.record(peer.nodeIdHex), undefined)
  driven.befriend([peer])
  const { ref } = one(driven.ask(peer, { type: 'offer', keys: [key] }), 'want-presence')
  const receive = one(driven.handle({ type: 'presence', ref, present: [false] }), 'receive')
  driven.handle({ type: 'transfer-failed', ref: receive.ref, ...wrong })
  t.is(driven.overlay.record(peer.nodeIdHex), undefined)
  t.is(driven.counter('distrusted'), 2)
  t.is(driven.counter('receive.failed.content-invalid'), 1)
})
