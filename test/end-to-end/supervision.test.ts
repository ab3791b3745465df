import test from 'ava'
import { NodeProcess } from './command.ts'

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
    t.true(a.log.some(line => line.includes(`"actor":"/network/${actor}"`) && line.includes('"msg":"failed"')))
  }
})

test('a call in flight when its actor fails gets a typed error', async t => {
  const a = await NodeProcess.start(t, [], HOOKS)
  // Nobody is there, and it takes a time-out of discovery to know: long enough to be in flight.
  const nobody =
    'enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8'
  const asked = a.call('discv5_ping', nobody)
  const crashed = a.call('spimpl_crashActor', 'discovery')
  const { error } = await asked
  t.is((await crashed).result, true)
  t.truthy(error)
  t.regex(JSON.stringify(error), /ACTOR_(FAILED|STOPPED)/)
})

test('test hooks are not there unless they are asked for', async t => {
  const a = await NodeProcess.start(t, [])
  t.is((await a.call('spimpl_crashActor', 'overlay')).error?.code, -32601)
})
