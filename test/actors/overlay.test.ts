import test from 'ava'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import type { DiscoveryMessage } from '../../actors/discovery-messages.ts'
import { overlay } from '../../actors/overlay.ts'
import type { StorageMessage } from '../../actors/storage.ts'
import type { StreamsMessage } from '../../actors/streams.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import { MAX_RADIUS } from '../../src/portal/knowledge/radius.ts'
import { encodeMessage } from '../../src/portal/wire/message.ts'
import { encodePingPayload } from '../../src/portal/wire/ping-extension.ts'
import { contentIdOf, decoder, MAINNET, PROTOCOL, recordOf } from '../testing/portal/sub-network.ts'

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
  return { discovery, ping }
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
