import { createSocket } from 'node:dgram'
import test from 'ava'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { endpointEntries, PublishableRecord } from '../../src/identity/publishable-record.ts'
import { NodeProcess } from '../testing/end-to-end/command.ts'

const HOOKS = { SPIMPL_TEST_HOOKS: '1' }

/** UDP may lose what was on its way to a socket that closed, and discv5 does not repeat a request: the caller does. */
async function ping(from: NodeProcess, to: NodeProcess, tries = 3): Promise<number | undefined> {
  const { result, error } = await from.call('portal_historyPing', to.ready.enr)
  if (error !== undefined && tries > 1) return ping(from, to, tries - 1)
  return (result as { readonly payloadType: number } | undefined)?.payloadType
}

test('every actor of a node may fail: it is restarted, and the node goes on', async t => {
  t.timeout(60_000)
  const [a, b] = await Promise.all([NodeProcess.start(t, [], HOOKS), NodeProcess.start(t, [], HOOKS)])
  for (const actor of ['overlay', 'streams', 'discovery', 'transport', 'validation', 'storage']) {
    t.true(await a.result('spimpl_crashActor', actor), actor)
    // Peers find each other again: the table of the overlay went with its actor.
    t.true(await a.result('portal_historyAddEnr', b.ready.enr), actor)
    t.is(await ping(a, b), 0, actor)
    const info = await a.result<{ readonly nodeId: string }>('discv5_nodeInfo')
    t.is(info.nodeId, a.ready.nodeId)
    await a.logged(line => line.includes(`"actor":"/network/${actor}"`) && line.includes('"msg":"failed"'))
  }
})

test('a call in flight when its actor fails gets a typed error', async t => {
  const a = await NodeProcess.start(t, [], HOOKS)
  // Whoever hears and does not answer is waited for, some seconds: once it has heard, the call is in flight.
  const mute = createSocket('udp4')
  t.teardown(() => mute.close())
  await new Promise<void>(resolve => mute.bind(0, '127.0.0.1', resolve))
  const { address: host, port } = mute.address()
  const record = new PublishableRecord({
    privateKey: new Uint8Array(32).fill(1),
    crypto: nodeCryptography,
    entries: endpointEntries({ host, port }),
  })
  const heard = new Promise(resolve => mute.once('message', resolve))
  const asked = a.call('portal_historyPing', record.current.text)
  await heard
  t.true(await a.result('spimpl_crashActor', 'overlay'))
  t.regex(JSON.stringify((await asked).error), /ACTOR_(FAILED|STOPPED)/)
})

test('test hooks are not there unless they are asked for', async t => {
  const a = await NodeProcess.start(t, [])
  t.is((await a.call('spimpl_crashActor', 'overlay')).error?.code, -32601)
})
