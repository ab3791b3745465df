import test from 'ava'
import fc from 'fast-check'
import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { MAX_RADIUS } from '../../src/portal/knowledge/radius.ts'
import type { OverlayInput, OverlayOutput } from '../../src/portal/portal.ts'
import { encodeMessage, type PortalMessage } from '../../src/portal/wire/message.ts'
import { encodePingPayload } from '../../src/portal/wire/ping-extension.ts'
import { DrivenOverlay } from '../testing/portal/driven-overlay.ts'
import { contentOf, keyOf, MAINNET, recordOf } from '../testing/portal/sub-network.ts'

const limits = {
  requests: 40,
  questions: 30,
  reads: 10,
  readsOfPeer: 4,
  receives: 8,
  receivesOfPeer: 3,
  serves: 8,
  servesOfPeer: 3,
  serveBytes: 50_000,
  fetches: 6,
  fetchBytes: 100_000,
  receiveBytes: 100_000,
  receiveBytesOfPeer: 50_000,
  offers: 6,
  offersToPeer: 2,
  gossipItems: 20,
  gossipBytes: 60_000,
  outboxItems: 5,
  profiles: 100,
  candidates: 10,
  contentLookups: 4,
  waitingLookups: 5,
  lookups: 6,
}
const RESULTS = ['pong', 'nodes', 'found', 'record-found', 'offered', 'gossiped', 'failed', 'record-added']
const nodes = Array.from({ length: 40 }, (_, index) => {
  return recordOf(1_000 + index, index % 7 === 0 ? { min: 0, max: 0, chainId: 1n } : MAINNET).current
})

type Talk = Extract<OverlayOutput, { readonly type: 'talk' }>
type Question = Extract<OverlayOutput, { readonly type: 'want-content' | 'want-presence' | 'validate' | 'keep' }>
const QUESTIONS: readonly string[] = ['want-content', 'want-presence', 'validate', 'keep']
const isQuestion = (output: OverlayOutput): output is Question => QUESTIONS.includes(output.type)

type Transfer = Extract<OverlayOutput, { readonly type: 'fetch' | 'serve' | 'send' | 'receive' }>

const reset = { code: 'STREAM_RESET', blamesContent: false } as const
const wrong = { code: 'RECEIPTS_ROOT_WRONG', blamesContent: true } as const
const unavailable = { code: 'HEADER_UNAVAILABLE', blamesContent: false } as const

/** An overlay among peers, a store and transfers that do whatever chance says, in whatever order, twice or never. */
class Chance {
  readonly driven = new DrivenOverlay({ limits })
  readonly settled = new Map<number, number>()
  talks: Talk[] = []
  questions: Question[] = []
  transfers: Transfer[] = []
  asked = 0
  requested = 0
  answered = 0
  readonly #random: Randomness

  constructor(seed: number) {
    this.#random = seededRandomness(seed)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!
  }

  below(limit: number): number {
    return this.#random.below(limit)
  }

  heard(outputs: readonly OverlayOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'talk') this.talks.push(output)
      else if (isQuestion(output)) this.questions.push(output)
      else if (output.type === 'answer-talk') this.answered += 1
      else if (output.type === 'cancel-transfer')
        this.transfers = this.transfers.filter(({ ref }) => ref !== output.ref)
      else if ('peer' in output && 'connectionId' in output && output.type !== 'decline') this.transfers.push(output)
      else if ('ref' in output && RESULTS.includes(output.type))
        this.settled.set(output.ref, (this.settled.get(output.ref) ?? 0) + 1)
    }
  }

  /** Bytes as a peer sends them: now and then with one of them changed, or cut. */
  bytes(message: PortalMessage): Uint8Array {
    const bytes = encodeMessage(message, 2)
    if (this.below(6) > 0) return bytes
    bytes[this.below(bytes.length)] = this.below(256)
    return bytes.subarray(0, this.below(3) === 0 ? this.below(bytes.length) : bytes.length)
  }

  records(): Uint8Array[] {
    return Array.from({ length: this.below(5) }, () => this.pick(nodes).bytes)
  }

  key(): Uint8Array {
    return this.below(6) === 0 ? this.#random.bytes(this.below(9)) : keyOf(this.below(20))
  }

  message(): PortalMessage {
    const keys = Array.from({ length: this.below(6) }, () => this.key())
    const payload = encodePingPayload({ payloadType: 1, radius: MAX_RADIUS >> BigInt(this.below(9)) })
    return this.pick<PortalMessage>([
      { type: 'ping', enrSeq: BigInt(this.below(9)), payloadType: this.pick([0, 1, 2, 65_535]), payload },
      { type: 'pong', enrSeq: 1n, payloadType: 1, payload },
      { type: 'find-nodes', distances: [this.below(257)] },
      { type: 'nodes', total: 1, records: this.records() },
      { type: 'find-content', key: this.key() },
      { type: 'content', kind: 'connection-id', connectionId: this.below(9) },
      { type: 'content', kind: 'inline', content: contentOf(keyOf(1), 50) },
      { type: 'content', kind: 'records', records: this.records() },
      { type: 'offer', keys },
      { type: 'accept', connectionId: this.below(5), codes: Uint8Array.from({ length: 1 }, () => this.below(8)) },
    ])
  }

  request(): void {
    this.requested += 1
    this.heard(this.driven.request(this.pick(nodes), this.bytes(this.message())))
  }

  settleTalk(): void {
    if (this.talks.length === 0) return
    const [{ ref }] = this.talks.splice(this.below(this.talks.length), 1) as [Talk]
    const isLost = this.below(5) === 0
    const answer = (): OverlayInput => ({ type: 'talk-answered', ref, payload: this.bytes(this.message()) })
    this.handle(isLost ? { type: 'talk-failed', ref, code: 'REQUEST_TIMEOUT' } : answer())
    if (this.below(10) === 0) this.handle(answer())
  }

  settleQuestion(): void {
    if (this.questions.length === 0) return
    const [question] = this.questions.splice(this.below(this.questions.length), 1) as [Question]
    const { ref } = question
    if (question.type === 'want-presence')
      this.handle({ type: 'presence', ref, present: question.items.map(() => this.pick([false, false, true])) })
    else if (question.type === 'want-content') {
      const content = this.pick([undefined, new Uint8Array(10), new Uint8Array(2_000), new Uint8Array(40_000)])
      this.handle({ type: 'content-read', ref, content })
    } else if (question.type === 'keep') this.handle({ type: this.pick(['content-kept', 'keep-failed']), ref })
    else if (this.below(2) === 0) this.handle({ type: 'verdict', ref, valid: true })
    else this.handle({ type: 'verdict', ref, valid: false, ...this.pick([wrong, unavailable]) })
  }

  transfer(): void {
    if (this.transfers.length === 0) return
    const one = this.pick(this.transfers)
    const { ref } = one
    const what = this.below(4)
    if (what === 0) this.handle({ type: 'transfer-size', ref, bytes: this.pick([10, 30_000, 90_000]) })
    else if (what === 1) {
      const content = new Uint8Array(100)
      this.handle({ type: 'transfer-item', ref, index: this.below(3), content, stored: this.below(2) === 0 })
    } else {
      this.transfers = this.transfers.filter(other => other !== one)
      if (what === 2) this.handle({ type: 'transfer-done', ref })
      else this.handle({ type: 'transfer-failed', ref, ...this.pick([reset, wrong]) })
    }
  }

  call(): void {
    this.asked += 1
    const ref = this.asked
    const to = this.pick(nodes)
    const key = this.key()
    const content = new Uint8Array(this.pick([10, 30_000]))
    this.handle(
      this.pick<OverlayInput>([
        { type: 'ping', ref, to, payloadType: this.below(3) },
        { type: 'find-nodes', ref, to, distances: [this.below(300)] },
        { type: 'find-content', ref, to, key },
        { type: 'offer', ref, to, items: [{ key, content: this.pick([undefined, content]) }] },
        { type: 'lookup-nodes', ref, target: to.nodeId },
        { type: 'lookup-record', ref, nodeId: to.nodeId },
        { type: 'lookup-content', ref, key, startedAtMs: this.pick([undefined, 5]) },
        { type: 'gossip', ref, key, content, lookup: this.below(2) === 0 },
        { type: 'add-record', ref, record: to },
      ]),
    )
    if (this.below(9) === 0) this.handle({ type: 'cancel', ref: ref - this.below(6) })
  }

  handle(input: OverlayInput): void {
    this.heard(this.driven.handle(input))
  }

  pass(milliseconds: number): void {
    this.heard(this.driven.pass(milliseconds))
  }
}

test('any inputs in any order: nothing throws, no table outgrows its limit, all is answered and given back', t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), seed => {
      const chance = new Chance(seed)
      const { overlay } = chance.driven
      const acts = ['request', 'request', 'settleTalk', 'settleTalk', 'settleQuestion', 'transfer', 'call'] as const
      for (let step = 0; step < 1_000; step++) {
        if (chance.below(12) === 0) chance.pass(chance.below(chance.pick([50, 3_000, 40_000])))
        else if (chance.below(40) === 0) chance.handle({ type: 'node-met', record: chance.pick(nodes) })
        else chance[chance.pick(acts)]()
        const now = overlay.snapshot()
        t.true(now.requests <= limits.requests && now.questions <= limits.questions)
        // A node that says it does not cover what it was offered is pinged at once, candidate or not.
        t.true(now.profiles <= limits.profiles && now.candidates <= limits.candidates + 2)
        t.true(now.contentLookups <= limits.contentLookups && now.waitingLookups <= limits.waitingLookups)
        t.true(now.nodeLookups <= limits.lookups && now.gossip.items <= limits.gossipItems)
        const { fetch, serve, send, receive } = now.transfers
        t.true(fetch <= limits.fetches && serve <= limits.serves && send <= limits.offers && receive <= limits.receives)
        t.true(Math.max(now.incoming.fetchBytes, now.incoming.receiveBytes) <= limits.receiveBytes)
      }
      for (let round = 0; round < 60; round++) {
        for (const { ref } of chance.talks.splice(0))
          chance.handle({ type: 'talk-failed', ref, code: 'REQUEST_TIMEOUT' })
        for (const { ref } of chance.transfers.splice(0))
          chance.handle({ type: 'transfer-failed', ref, code: 'STREAM_RESET', blamesContent: false })
        chance.pass(30_000)
      }
      t.is(chance.answered, chance.requested)
      for (let ref = 1; ref <= chance.asked; ref++) t.is(chance.settled.get(ref), 1, `call ${ref}`)
      const { calls, questions, gossip, offersInFlight, outbox, transfers, incoming } = overlay.snapshot()
      t.deepEqual([calls, questions, gossip.items, gossip.bytes, offersInFlight, outbox], [0, 0, 0, 0, 0, 0])
      t.deepEqual([...Object.values(transfers), ...Object.values(incoming)], [0, 0, 0, 0, 0, 0, 0])
    }),
    { numRuns: 25 },
  )
})
