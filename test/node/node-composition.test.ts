import test from 'ava'
import { MemoryStore, makeChain } from 'spimpl/testing'
import { composition } from 'spimpl-runtime'
import {
  HISTORY_SUBNETWORK,
  nodeApi,
  nodeComposition,
  nodeRows,
  storageOnLane,
  subnetworkRow,
  validationOnLane,
} from '../../node/node.ts'
import { answered } from '../testing/node/answered.ts'

const blocks = makeChain({ seed: 1, blocks: 2 })
const [small, large] = blocks as [(typeof blocks)[0], (typeof blocks)[0]]
const quiet = { bootnodes: [], udp: { host: '127.0.0.1' }, headers: blocks }

test('a node is a value: nothing is open before it starts, and it starts more than once', async t => {
  const node = nodeComposition({ ...quiet, rpc: { port: 0 } })
  for (const turn of [1, 2]) {
    await using running = await node.start({ name: `turn-${turn}` })
    const { refs, started } = running
    t.regex(started.rpc, /^http:\/\/127\.0\.0\.1:\d+$/)
    t.is(started.transport.host, '127.0.0.1')
    t.is(started.ports.record.current.endpoint?.port, started.transport.port)
    const api = nodeApi(refs, started.ports)
    t.true(await api.history.store({ type: 'body', number: small.number }, small.body))
  }
})

test('a start that fails names the row and why, and leaves nothing running', async t => {
  await using first = await nodeComposition(quiet).without('rpc').start()
  const udp = { host: '127.0.0.1', port: first.started.transport.port }
  const error = await t.throwsAsync(
    nodeComposition({ ...quiet, udp })
      .without('rpc')
      .start(),
    { code: 'START_FAILED' },
  )
  t.regex(error?.message ?? '', /its row transport failed: .* another socket has bound it/)
  t.like(error?.cause, { code: 'ADDRESS_IN_USE' })
})

test('a row that fails restarts with those that need it, on the same port, and the others go on', async t => {
  await using running = await nodeComposition({ ...quiet, rpc: { port: 0 } }).start({ log: () => {} })
  const { system, refs, started } = running
  const { transport, rpc } = started
  const api = nodeApi(refs, started.ports)
  const fail = [
    () => system.failActor(refs.transport, new Error('a drill')),
    () => system.failActor(refs.rpc, new Error('a drill')),
  ]
  for (const drill of fail) {
    drill()
    await refs.discovery.ask(replyTo => ({ type: 'own-record', replyTo }), { timeoutMs: 10_000 })
    const { local } = await refs.transport.ask(replyTo => ({ type: 'snapshot', replyTo }), { timeoutMs: 10_000 })
    t.deepEqual(local, transport)
    t.is(await refs.rpc.ask(replyTo => ({ type: 'address', replyTo }), { timeoutMs: 10_000 }), rpc)
  }
  const restarts = new Map(
    system.inspect().children.flatMap(({ children }) => children.map(({ name, restarts }) => [name, restarts])),
  )
  t.is(restarts.get('storage'), 0)
  t.is(restarts.get('transport'), 1)
  t.is(restarts.get('overlay'), 1)
  t.like(await api.health(), { ready: true })
})

test('discovery alone, from the rows of a node', async t => {
  const rows = nodeRows(quiet)
  const discovery = composition('discovery')
    .with('ports', rows.ports)
    .with('transport', rows.transport)
    .with('discovery', rows.discovery)
  await using one = await discovery.start()
  await using other = await discovery.start()
  const to = other.started.ports.record.current
  const ping = () => one.refs.discovery.ask(replyTo => ({ type: 'ping', to, replyTo }), { timeoutMs: 10_000 })
  const pong = await answered(ping)
  t.is(pong.enrSeq, to.seq)
})

test('storage and validation on a lane of their own', async t => {
  const node = nodeComposition(quiet)
    .without('rpc')
    .replace('storage', storageOnLane('vault', quiet))
    .replace('validation', validationOnLane('vault'))
  await using first = await node.start()
  await using second = await node.start()
  const [a, b] = [nodeApi(first.refs, first.started.ports), nodeApi(second.refs, second.started.ports)]
  const key = { type: 'body', number: large.number } as const
  t.true(await a.history.store(key, large.body.slice()))
  await answered(() => b.history.ping(first.started.ports.record.current))
  t.deepEqual((await b.history.get(key))?.content, large.body)
  t.deepEqual(await b.history.local(key), large.body)
  await t.throwsAsync(a.history.store(key, small.body.slice()), { code: 'CONTENT_INVALID' })
})

test('a second sub-network on the same socket', async t => {
  const protocol = Uint8Array.of(0x50, 0x0f)
  const node = nodeComposition(quiet)
    .without('rpc')
    .with('second', { ...subnetworkRow({ ...HISTORY_SUBNETWORK, protocol }), under: 'network' })
  await using first = await node.start()
  await using other = await nodeComposition(quiet).without('rpc').start()
  await using second = await node.start()
  const to = first.started.ports.record.current
  for (const overlay of [second.refs.overlay, second.refs.second]) {
    const api = nodeApi({ ...second.refs, overlay }, second.started.ports)
    t.is((await answered(() => api.history.ping(to))).enrSeq, to.seq)
    t.like(await api.health(), { peers: 1 })
  }
  const alone = nodeApi({ ...second.refs, overlay: second.refs.second }, second.started.ports)
  await t.throwsAsync(alone.history.ping(other.started.ports.record.current), undefined, 'it does not speak the second')
})

test('a store of the reader', async t => {
  class CountingStore extends MemoryStore {
    puts = 0
    override put(...item: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
      this.puts++
      return super.put(...item)
    }
  }
  const stores: CountingStore[] = []
  const openStore = async (options: ConstructorParameters<typeof MemoryStore>[0]): Promise<CountingStore> => {
    stores.push(new CountingStore(options))
    return stores.at(-1)!
  }
  await using running = await nodeComposition({ ...quiet, openStore })
    .without('rpc')
    .start()
  await nodeApi(running.refs, running.started.ports).history.store({ type: 'body', number: 1n }, small.body)
  t.deepEqual(
    stores.map(({ puts }) => puts),
    [1],
  )
})
