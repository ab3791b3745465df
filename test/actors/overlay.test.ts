import test from 'ava'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import type { DiscoveryMessage } from '../../actors/discovery-messages.ts'
import { overlay } from '../../actors/overlay.ts'
import type { StorageMessage } from '../../actors/storage.ts'
import type { StreamsMessage } from '../../actors/streams.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import type { SpimplError } from '../../src/errors.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import { MAX_RADIUS } from '../../src/portal/knowledge/radius.ts'
import { encodeMessage } from '../../src/portal/wire/message.ts'
import { encodePingPayload } from '../../src/portal/wire/ping-extension.ts'
import { contentIdOf, contentOf, decoder, keyOf, MAINNET, PROTOCOL, recordOf } from '../testing/portal/sub-network.ts'

/** The overlay's actor between probes in the places of those that it stands on. */
function stage(system: TestSystem) {
  const discovery = system.probe<DiscoveryMessage>('discovery')
  const streams = system.probe<StreamsMessage>('streams')
  const storage = system.probe<StorageMessage>('storage')
  const validation = system.probe<ValidationMessage>('validation')
  const actor = system.spawn(
    overlay({
      options: { protocol: PROTOCOL, contentId: contentIdOf, records: decoder, clientInfo: '' },
      record: recordOf(1, MAINNET).current,
      radius: MAX_RADIUS,
      bootstrap: [],
      maxItemBytes: 1_000,
      discovery: discovery.ref,
      streams: streams.ref,
      storage: storage.ref,
      validation: validation.ref,
    }),
    { restart: 'temporary' },
  )
  const ping = (from: NodeRecord, enrSeq: bigint): void => {
    const payload = encodePingPayload({ payloadType: 1, radius: 7n })
    actor.tell({
      type: 'talk-requested',
      from,
      payload: encodeMessage({ type: 'ping', enrSeq, payloadType: 1, payload }, 2),
      token: { nodeIdHex: from.nodeIdHex, endpoint: { host: '127.0.0.1', port: 1 }, requestId: Uint8Array.of(1) },
    })
  }
  return { actor, discovery, storage, validation, ping }
}

test('who says that its record is newer is asked for it, itself alone: no search of the network for any number it names', async t => {
  await using system = new TestSystem()
  const { discovery, ping } = stage(system)
  await discovery.expectMessage('serve-talks')
  await discovery.expectMessage('watch-network')
  const node = recordOf(2, MAINNET)
  const known = node.current
  node.set({ udp: 4_000 })
  const newer = node.publish()
  ping(known, newer.seq)
  const asked = await discovery.expectMessage('find-nodes')
  await discovery.expectMessage('answer-talk')
  t.deepEqual([asked.to.nodeIdHex, [...asked.distances]], [known.nodeIdHex, [0]])
  // The first ping to a node that we did not know goes where its record says by then.
  asked.replyTo.tell([newer])
  const talk = await discovery.expectMessage('talk')
  t.is(talk.to.nodeIdHex, known.nodeIdHex)
  for (let seq = newer.seq + 1n; seq < newer.seq + 20n; seq++) ping(known, seq)
  await system.settle()
  const types = new Set(discovery.received.map(({ type }) => type))
  t.false(types.has('resolve') || types.has('lookup'), [...types].join(' '))
})

test('a peer whose content is not what its key names loses its place; the number of the call goes all the way', async t => {
  await using system = new TestSystem()
  const { actor, discovery, validation } = stage(system)
  const peer = recordOf(2, MAINNET).current
  const key = keyOf(1)
  const within = { timeoutMs: 60_000 }
  const members = async (): Promise<number> => {
    const snapshot = actor.ask(replyTo => ({ type: 'snapshot', replyTo }), within)
    await system.settle()
    return (await snapshot).members
  }
  const result = actor.ask(
    replyTo => ({ type: 'call', call: { type: 'find-content', ref: 77, to: peer, key }, replyTo }),
    within,
  )
  for (const type of ['serve-talks', 'watch-network'] as const) await discovery.expectMessage(type)
  t.is((await discovery.expectMessage('talk')).ref, 77)
  const message = { type: 'content', kind: 'inline', content: contentOf(key, 50) } as const
  actor.tell({ type: 'talk-answered', ref: 77, payload: encodeMessage(message, 2) })
  const { ref } = await validation.expectMessage('validate')
  t.is(ref, 77)
  t.is(await members(), 1)
  actor.tell({ type: 'verdict', ref, valid: false, code: 'TRANSACTIONS_ROOT_WRONG', blamesContent: true })
  await system.settle()
  t.like(await result, { type: 'failed', ref: 77, code: 'TRANSACTIONS_ROOT_WRONG' })
  t.is(await members(), 0)
})

test('a number is for one call: a second one with it is refused, and a cancelled one is not answered', async t => {
  await using system = new TestSystem()
  const { actor } = stage(system)
  const to = recordOf(2, MAINNET).current
  const ping = (ref: number): Promise<string> =>
    actor
      .ask(replyTo => ({ type: 'call', call: { type: 'ping', ref, to }, replyTo }), { timeoutMs: 50 })
      .then(
        ({ type }) => type,
        (error: SpimplError) => error.code,
      )
  const first = ping(5)
  const second = ping(5)
  await system.settle()
  t.is(await second, 'USAGE')
  actor.tell({ type: 'cancel', ref: 5 })
  await system.advance(50)
  t.is(await first, 'ASK_TIMEOUT')
})
