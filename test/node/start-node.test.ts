import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type NodeEvent, type NodeOptions, type RunningNode, startNode } from '../../node/node.ts'
import { SpimplError } from '../../src/errors.ts'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { formatBlockFile } from '../../src/history/headers/block-file.ts'
import { HeaderTable } from '../../src/history/headers/header-directory.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { DataDirectory } from '../../src/store/store.ts'
import { answered } from '../testing/node/answered.ts'

const blocks = makeChain({ seed: 1, blocks: 2 })
const [small, large] = blocks as [(typeof blocks)[0], (typeof blocks)[0]]

/** A node that bothers nobody else, and stops with the test. */
async function quiet(t: ExecutionContext, options: NodeOptions = {}): Promise<RunningNode> {
  const node = await startNode({ bootnodes: [], udp: { host: '127.0.0.1' }, ...options })
  t.teardown(() => node.stop())
  return node
}

async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-node-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('without options it is a mainnet node on a free port, in memory, without JSON-RPC', async t => {
  const node = await startNode()
  t.teardown(() => node.stop())
  t.regex(node.enr, /^enr:/)
  t.regex(node.nodeId, /^0x[0-9a-f]{64}$/)
  t.is(node.record.text, node.enr)
  t.is(node.record.portal?.chainId, 1n)
  t.deepEqual(node.record.endpoint, { host: '127.0.0.1', port: node.udp.port })
  t.is(node.udp.host, '0.0.0.0')
  t.true(node.udp.port > 0)
  t.is(node.rpcUrl, undefined)
  t.like(await node.health(), { ready: true, items: 0 })
  await node[Symbol.asyncDispose]()
  t.deepEqual((await node.terminated).late, [])
})

test('two nodes meet, and one retrieves what the other stored', async t => {
  const first = await quiet(t, { headers: blocks })
  t.like(await first.history.put({ type: 'body', number: large.number }, large.body), {
    storedLocally: true,
    peerCount: 0,
  })
  const second = await quiet(t, { headers: blocks, bootnodes: [first.enr] })
  t.is((await answered(() => second.history.ping(first.enr))).enrSeq, first.record.seq)
  const found = await second.history.get({ type: 'body', number: large.number })
  t.true(found?.utpTransfer)
  t.deepEqual(found?.content, large.body)
  const local = await second.history.local({ type: 'body', number: large.number })
  t.deepEqual(local, large.body, 'what was retrieved is stored')
  t.is(await second.history.get({ type: 'receipts', number: large.number }), undefined)
  const { trace, content } = await second.history.trace({ type: 'receipts', number: large.number })
  t.is(content, undefined)
  t.deepEqual(Object.keys(trace.responses).sort(), [first.nodeId, second.nodeId].sort())
  t.like(await second.history.retrieve({ type: 'body', number: large.number }), { utpTransfer: true, queries: 1 })
})

test('discovery: records, pings, lookups and the table, by records, texts and ids', async t => {
  const [a, b] = await Promise.all([quiet(t), quiet(t)])
  t.is((await answered(() => a.discovery.ping(b.record))).enrSeq, b.record.seq)
  t.is((await a.discovery.findRecord(b.nodeId))?.text, b.enr)
  t.is((await a.discovery.lookupRecord(b.record.nodeId))?.text, b.enr)
  t.deepEqual(
    (await a.discovery.lookup(b.nodeId)).map(record => record.text),
    [b.enr],
  )
  const { localNodeId, buckets } = await a.discovery.table()
  t.is(localNodeId, a.nodeId)
  t.deepEqual(buckets.flat(), [b.nodeId])
  t.is((await answered(() => a.discovery.talk(b.enr, Uint8Array.of(1), Uint8Array.of(2)))).length, 0)
  t.true(await a.discovery.removeRecord(b.nodeId))
})

test('without headers nothing can be validated: put names the option to set', async t => {
  const node = await quiet(t)
  const error = await t.throwsAsync(node.history.put({ type: 'body', number: 7n }, small.body), {
    instanceOf: SpimplError,
    code: 'HEADER_UNAVAILABLE',
  })
  t.regex(error.message, /block 7 .*option headers/)
})

test('headers may be blocks, headers, a source, a directory or a file', async t => {
  const directory = await temporaryDirectory(t)
  const file = path.join(directory, 'block.yaml')
  await writeFile(file, formatBlockFile(small))
  const source = new HeaderTable([small.header], 'the test')
  for (const headers of [blocks, [small.header], source, directory, file]) {
    const node = await quiet(t, { headers })
    t.true(await node.history.store({ type: 'receipts', number: small.number }, small.receipts))
    await node.stop()
  }
  t.is(source.size, 1, 'the source is the caller’s, and stays open')
  await t.throwsAsync(startNode({ headers: path.join(directory, 'absent') }), {
    code: 'FILE_INVALID',
    message: /absent/,
  })
})

test('a data directory keeps key and content, is locked meanwhile, and is let go after the stop', async t => {
  const dataDir = await temporaryDirectory(t)
  const first = await quiet(t, { dataDir, headers: blocks })
  await first.history.store({ type: 'body', number: small.number }, small.body)
  await t.throwsAsync(startNode({ dataDir }), { code: 'STORE_LOCKED', message: new RegExp(dataDir) })
  await first.stop()
  const directory = await DataDirectory.open(dataDir)
  const second = await quiet(t, { dataDir: directory })
  t.is(second.nodeId, first.nodeId)
  t.deepEqual(await second.history.local({ type: 'body', number: small.number }), small.body)
  await second.stop()
  await t.throwsAsync(DataDirectory.open(dataDir), { code: 'STORE_LOCKED' }, 'an open directory is the caller’s')
  await directory.close()
  t.deepEqual(
    readdirSync(dataDir).filter(name => name.endsWith('.mdb')),
    ['history.mdb'],
  )
})

test('a start that fails leaves nothing open', async t => {
  const dataDir = await temporaryDirectory(t)
  const other = await quiet(t)
  const udp = { host: '127.0.0.1', port: other.udp.port }
  await t.throwsAsync(startNode({ dataDir, udp, bootnodes: [] }), { code: 'ADDRESS_IN_USE' })
  await (await DataDirectory.open(dataDir)).close()
  t.false(existsSync(path.join(dataDir, 'lock')))
})

test('ports are replaceable: the store, the randomness, the compute pool', async t => {
  let opened = 0
  let computed = 0
  const node = await quiet(t, {
    headers: blocks,
    privateKey: new Uint8Array(32).fill(7),
    openStore: async options => {
      opened++
      return new MemoryStore(options)
    },
    compute: async job => {
      computed++
      return { ok: true, value: { type: job.contentType } as never }
    },
  })
  await node.history.store({ type: 'body', number: large.number }, large.body)
  t.deepEqual([opened, computed], [1, 1])
})

test('events: who was met, what was stored, the own record and its address', async t => {
  const node = await quiet(t, { headers: blocks })
  const seen: NodeEvent[] = []
  const events = node.events[Symbol.asyncIterator]()
  const until = async (type: NodeEvent['type']): Promise<NodeEvent> => {
    for (;;) {
      const { value } = await events.next()
      seen.push(value)
      if (value.type === type) return value
    }
  }
  const other = await quiet(t, { bootnodes: [node.enr] })
  const met = await until('node-met')
  t.is(met.type === 'node-met' && met.record.text, other.enr)
  await node.history.store({ type: 'body', number: small.number }, small.body)
  t.like(await until('content-stored'), { bytes: small.body.length })
  await node.discovery.updateRecord({ udp: 9999 })
  const address = await until('address-changed')
  t.like(address, { endpoint4: { host: '127.0.0.1', port: 9999 } })
  t.true(seen.some(({ type }) => type === 'record-changed'))
  t.is(node.record.endpoint?.port, 9999)
  await node.stop()
  t.true((await events.next()).done)
})

const wrong: readonly [options: unknown, message: RegExp][] = [
  [{ dataDirectory: 'x' }, /expected one of name, network, .*, got "dataDirectory"/],
  [{ network: 'goerli' }, /^network: expected one of mainnet, sepolia, hoodi, .* got "goerli"/],
  [{ udp: { port: 70_000 } }, /^udp: expected .*port from 0 to 65535, got \{ port: 70000 \}/],
  [{ udp: { port: Number.NaN } }, /got \{ port: NaN \}$/],
  [{ storageBytes: Number.NaN }, /^storageBytes: expected .*, got NaN$/],
  [{ openStore: async () => ({}) }, /^openStore: expected .*ContentStore with get, put, close, got \{\}$/],
  [{ openSocket: async () => undefined }, /^openSocket: expected .*DatagramSocket with send, close, got undefined$/],
  [[], /^options: expected an object, got \[\]/],
  [{ udp: { host: 'localhost' } }, /^udp: expected .*IPv4 or IPv6 address/],
  [{ bootnodes: 'enr:abc' }, /^bootnodes: expected a list/],
  [{ bootnodes: ['enr:nonsense'] }, /^bootnodes: expected node records .*, got enr:nonsense/],
  [{ privateKey: 'ab'.repeat(32) }, /^privateKey: expected .*Uint8Array of 32 bytes, got 64 characters$/],
  [{ storageBytes: -1 }, /^storageBytes: expected .*, got -1/],
  [{ radius: 'auto' }, /^radius: expected \{ type: 'auto' \}.*got "auto"/],
  [{ publish: 'example.org' }, /^publish: expected an IPv4 or IPv6 address/],
  [{ publish: '::1' }, /^publish: expected an IPv4 address, as 0.0.0.0 is bound/],
  [{ headers: 5 }, /^headers: expected a URL, a directory, .*got 5/],
  [{ udp: { prot: 9000 } }, /^udp: expected \{ host, port \}.* got \{ prot: 9000 \}$/],
  [{ rpc: { prot: 9 } }, /^rpc: expected \{ host, port, methods \}.* got \{ prot: 9 \}$/],
  [{ executor: 'threads' }, /^executor: expected auto, event-loop, dispatch/],
  [{ rpc: 8545 }, /^rpc: expected/],
  [null, /^options: expected an object, got null/],
]

for (const [options, message] of wrong) {
  test(`what is wrong is named with what would be right: ${message}`, async t => {
    const error = await t.throwsAsync(startNode(options as NodeOptions), {
      instanceOf: SpimplError,
      code: 'CONFIG_INVALID',
    })
    t.regex(error.message, message)
  })
}

test('a key that is none of the curve is refused, and never repeated', async t => {
  const error = await t.throwsAsync(startNode({ privateKey: new Uint8Array(32) }), { code: 'KEY_INVALID' })
  t.regex(error?.message ?? '', /^privateKey: /)
})

test('arguments of calls are checked', async t => {
  const node = await quiet(t)
  await t.throwsAsync(node.history.get({ type: 'header', number: 1n } as never), { code: 'CONTENT_KEY_INVALID' })
  await t.throwsAsync(node.history.get({ type: 'body', number: 1 } as never), {
    code: 'CONTENT_KEY_INVALID',
    message: /bigint/,
  })
  await t.throwsAsync(node.history.get(Uint8Array.of(9)), { code: 'CONTENT_KEY_INVALID', message: /0x09/ })
  await t.throwsAsync(node.history.put({ type: 'body', number: 1n }, '0x00' as never), { code: 'USAGE' })
  await t.throwsAsync(node.history.ping('enr:nonsense'), { message: /expected a node record/ })
  await t.throwsAsync(node.discovery.lookup('0x12'), { code: 'USAGE', message: /node id/ })
  await t.throwsAsync(node.history.get({ type: 'body', number: 1n }, { signal: AbortSignal.abort() }), {
    code: 'ASK_ABORTED',
  })
})
