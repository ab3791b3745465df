import test from 'ava'
import { type DiscoveryOutput, Discv5 } from 'spimpl/discv5'
import * as enr from 'spimpl/enr'
import { Overlay } from 'spimpl/portal'
import { MemoryStore, makeChain, seededRandomness, TestSystem } from 'spimpl/testing'
import { type StreamOutput, UtpConnection } from 'spimpl/utp'

/** What each door exports is enough to use it: nothing here comes from anywhere else. */

const { nodeCryptography: crypto } = enr

test('spimpl/enr: a record is made, written, read and compared', t => {
  const privateKey = enr.newPrivateKey(enr.seededRandomness(1), crypto)
  const entries = {
    ...enr.endpointEntries({ host: '192.0.2.7', port: 9009 }),
    p: enr.portalEntry({ min: 2, max: 2, chainId: 1n }),
  }
  const own = new enr.PublishableRecord({ privateKey, crypto, entries })
  const read = enr.unwrap(enr.parseRecord(own.current.text, crypto))
  t.deepEqual(read.endpoint, { host: '192.0.2.7', port: 9009 })
  t.is(read.portal?.chainId, 1n)
  t.is(enr.logDistance(read.nodeId, own.current.nodeId), 0)
  t.is(new enr.RecordDecoder({ crypto }).parse(`${own.current.text}x`).ok, false)
  t.throws(() => enr.parsePrivateKey('abc', crypto), { instanceOf: enr.SpimplError, code: 'KEY_INVALID' })
})

test('spimpl/discv5: a core with its records and randomness sends the first packet of a session', t => {
  const recordOf = (seed: number, port: number): enr.PublishableRecord =>
    new enr.PublishableRecord({
      privateKey: enr.newPrivateKey(enr.seededRandomness(seed), crypto),
      crypto,
      entries: enr.endpointEntries({ host: '127.0.0.1', port }),
    })
  const core = new Discv5({ record: recordOf(1, 9001), crypto, randomness: enr.seededRandomness(1) })
  const outputs: DiscoveryOutput[] = []
  core.handle({ type: 'ping', ref: 1, to: recordOf(2, 9002).current }, 0, output => outputs.push(output))
  const [sent] = outputs
  t.deepEqual(sent?.type === 'send' && sent.batch.map(({ endpoint }) => endpoint.port), [9002])
  t.true(core.deadline() < Number.POSITIVE_INFINITY)
})

test('spimpl/utp: a core opens a stream', t => {
  const core = UtpConnection.initiate({ connectionId: 7, randomness: enr.seededRandomness(1) })
  const outputs: StreamOutput[] = []
  core.handle({ type: 'open' }, 0, output => outputs.push(output))
  t.true(outputs.some(output => output.type === 'send' && output.packets.length === 1))
})

test('spimpl/portal and spimpl/testing: the cores and the kit are there', async t => {
  t.is(typeof Overlay, 'function')
  t.is(makeChain({ seed: 1, blocks: 1 })[0]?.number, 1n)
  t.is(seededRandomness(1).below(1), 0)
  const store = new MemoryStore({ nodeId: new Uint8Array(32), capacityBytes: 1e6, radius: { type: 'max' } })
  t.true((await store.put(new Uint8Array(32), Uint8Array.of(1), Uint8Array.of(2))).stored)
  t.is(typeof TestSystem, 'function')
})
