import test, { type ExecutionContext } from 'ava'
import { seededRandomness } from 'spimpl-runtime'
import { type RunningNode, startNode } from '../../node/node.ts'
import { toHex } from '../../src/codec/hex.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { encodeContentKey } from '../../src/history/content/content-key.ts'
import type { Block } from '../../src/history/headers/block-file.ts'
import { validateInWorker } from '../../src/history/validation/validation-task.ts'
import { newPrivateKey } from '../../src/identity/keys.ts'
import type { Endpoint } from '../../src/transport/datagram.ts'
import { type Relay, type RelayConditions, startRelay } from '../testing/transport/relay.ts'

/**
 * Two nodes that publish the endpoints of a relay in place of their own: nothing goes from one to the other past it.
 */
async function apart(
  t: ExecutionContext,
  blocks: readonly Block[],
  conditions: RelayConditions,
): Promise<{ readonly a: RunningNode; readonly b: RunningNode; readonly relay: Relay }> {
  const bound: ((local: Endpoint) => void)[] = []
  const locals = [0, 1].map(index => new Promise<Endpoint>(resolve => bound.splice(index, 0, resolve)))
  const relay = Promise.all(locals).then(([a, b]) => startRelay({ a: a!, b: b!, seed: 7, conditions }))
  const start = (index: 0 | 1): Promise<RunningNode> =>
    startNode({
      name: `node-${index}`,
      privateKey: newPrivateKey(seededRandomness(index + 1), nodeCryptography),
      udp: { host: '127.0.0.1', port: 0 },
      async publish(local) {
        bound[index]!(local)
        const { towardsA, towardsB } = await relay
        return index === 0 ? towardsA : towardsB
      },
      radius: { type: 'max' },
      headers: blocks,
      compute: validateInWorker,
      bootnodes: [],
    })
  const [a, b] = await Promise.all([start(0), start(1)])
  t.teardown(async () => {
    await Promise.all([a.stop(), b.stop()])
    await (await relay).close()
  })
  return { a, b, relay: await relay }
}

test('large content arrives whole over a link that loses 2 % and reorders', async t => {
  t.timeout(90_000)
  const profile = { transactions: 12, dataBytes: 125_000, logs: 1, logBytes: 32, withdrawals: 2 }
  const blocks = makeChain({ seed: 5, blocks: 2, profiles: [profile] })
  const { a, b, relay } = await apart(t, blocks, { loss: 0.02, delayMs: 1, jitterMs: 3 })
  const call = { signal: AbortSignal.timeout(80_000) }
  t.true(await b.history.addRecord(a.record, call))
  for (const { number, body } of blocks) {
    const key = encodeContentKey({ type: 'body', number })
    t.true(await a.history.store(key, body.slice(), call))
    const found = await b.history.get(key, call)
    t.true(found?.utpTransfer)
    t.true(toHex(found!.content) === toHex(body))
  }
  t.true(relay.counters.lost > 20, JSON.stringify(relay.counters))
  t.true(relay.counters.reordered > 100, JSON.stringify(relay.counters))
})
