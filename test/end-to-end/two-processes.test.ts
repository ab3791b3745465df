import { readFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import { toHex } from '../../src/codec/hex.ts'
import { encodeContentKey, type HistoryContentType } from '../../src/history/content/content-key.ts'
import { readBlockFile } from '../../src/history/headers/block-file.ts'
import { NodeProcess, temporaryDirectory } from '../testing/end-to-end/command.ts'
import { blocksDirectory } from '../testing/history/blocks.ts'
import { vectorsMissing } from '../vectors.ts'

interface ContentAnswer {
  readonly content: string
  readonly utpTransfer: boolean
}

const blocks = blocksDirectory()
const onBlocks = blocks === undefined ? test.skip : test
if (blocks === undefined) test(vectorsMissing, t => t.pass())

async function twoNodes(t: Parameters<typeof temporaryDirectory>[0]): Promise<readonly [NodeProcess, NodeProcess]> {
  const start = async (): Promise<NodeProcess> =>
    NodeProcess.start(t, ['--headers', blocks!, '--data-dir', await temporaryDirectory(t)])
  const [a, b] = await Promise.all([start(), start()])
  t.true(await a.result('portal_historyAddEnr', b.ready.enr))
  t.true(await b.result('portal_historyAddEnr', a.ready.enr))
  return [a, b]
}

async function contentOf(
  type: HistoryContentType,
  number: number,
): Promise<{ readonly key: string; readonly value: string }> {
  const block = await readBlockFile(path.join(blocks!, `block-data-${number}.yaml`))
  return { key: toHex(encodeContentKey({ type, number: BigInt(number) })), value: toHex(block[type]!) }
}

onBlocks('real receipts and a real body move between two processes over uTP and are validated', async t => {
  t.timeout(60_000)
  const [a, b] = await twoNodes(t)
  const items = [
    { ...(await contentOf('receipts', 15537394)), bytes: 1_587_870 },
    { ...(await contentOf('body', 19426586)), bytes: 307_688 },
  ]
  for (const { key, value, bytes } of items) {
    t.is(value.length, 2 + 2 * bytes)
    t.true(await a.result('portal_historyStore', key, value))
    const found = await b.result<ContentAnswer>('portal_historyGetContent', key)
    t.true(found.content === value)
    t.true(found.utpTransfer)
    // It was stored on the way, so the network is not asked again.
    t.deepEqual(await b.result<string>('portal_historyLocalContent', key), value)
    t.false((await b.result<ContentAnswer>('portal_historyGetContent', key)).utpTransfer)
  }
})

onBlocks('small content comes inside the answer', async t => {
  const [a, b] = await twoNodes(t)
  const { key, value } = await contentOf('body', 15537393)
  t.true(await a.result('portal_historyStore', key, value))
  t.deepEqual(await b.result('portal_historyGetContent', key), { content: value, utpTransfer: false })
})

onBlocks('what is put is gossiped to the node that should hold it', async t => {
  const [a, b] = await twoNodes(t)
  const { key, value } = await contentOf('body', 22431083)
  // A first ping tells a the radius of b, without which it does not gossip.
  await a.result('portal_historyPing', b.ready.enr)
  const put = await a.result<{ readonly peerCount: number; readonly storedLocally: boolean }>(
    'portal_historyPutContent',
    key,
    value,
  )
  t.true(put.storedLocally)
  t.is(put.peerCount, 1)
  // Nothing of another process says when: it is asked again as soon as it has answered, until the test's own time is
  // up.
  for (;;) {
    const local = await b.call('portal_historyLocalContent', key)
    if (local.result === value) break
    t.is(local.error?.code, -39001)
  }
})

onBlocks('content that is not valid is refused, and is nowhere afterwards', async t => {
  const [a, b] = await twoNodes(t)
  const { key, value } = await contentOf('body', 19426587)
  const last = value.at(-1) === '0' ? '1' : '0'
  const tampered = value.slice(0, -1) + last
  for (const method of ['portal_historyStore', 'portal_historyPutContent']) {
    const { error } = await a.call(method, key, tampered)
    t.is(error?.code, -32602, method)
  }
  t.is((await a.call('portal_historyLocalContent', key)).error?.code, -39001)
  t.is((await b.call('portal_historyGetContent', key)).error?.code, -39001)
  const traced = await b.call('portal_historyTraceGetContent', key)
  t.is(traced.error?.code, -39002)
  t.like(traced.error?.data, { origin: b.ready.nodeId })
})

onBlocks('a data directory belongs to one process, keeps its key, and its content', async t => {
  const directory = await temporaryDirectory(t)
  const argv = ['--headers', blocks!, '--data-dir', directory]
  const first = await NodeProcess.start(t, argv)
  const { key, value } = await contentOf('body', 15537393)
  t.true(await first.result('portal_historyStore', key, value))
  const refused = await t.throwsAsync(NodeProcess.start(t, argv))
  t.true(refused.message.includes(directory), refused.message)
  t.true(refused.message.includes(String(first.pid)), refused.message)
  t.is(await first.stop('SIGINT'), 0)
  const second = await NodeProcess.start(t, argv)
  t.is(second.ready.nodeId, first.ready.nodeId)
  t.is(await second.result('portal_historyLocalContent', key), value)
  t.regex(await readFile(path.join(directory, 'node.key'), 'utf8'), /^0x[0-9a-f]{64}\n$/)
})

onBlocks('a node that is told to stop keeps the deadlines of its phases', async t => {
  t.timeout(60_000)
  // 1.9 s together (actors/node.ts): who does not keep his is named in the log. A machine may take them for itself,
  // though not each time.
  let late: readonly string[] = ['never stopped']
  for (let tries = 0; tries < 3 && late.length > 0; tries++) {
    const node = await NodeProcess.start(t, ['--headers', blocks!, '--data-dir', await temporaryDirectory(t)])
    const { key, value } = await contentOf('body', 15537393)
    t.true(await node.result('portal_historyStore', key, value))
    t.is(await node.stop('SIGINT'), 0)
    late = node.log.filter(line => line.includes('did not stop in time'))
  }
  t.deepEqual(late, [])
})

test('nodes that bind every address find each other on one machine', async t => {
  const [a, b] = await Promise.all([
    NodeProcess.start(t, ['--udp-host', '0.0.0.0']),
    NodeProcess.start(t, ['--udp-host', '0.0.0.0']),
  ])
  t.true(await a.result('portal_historyAddEnr', b.ready.enr))
  t.like(await a.result('portal_historyPing', b.ready.enr), { payloadType: 0 })
  const { enr } = await a.result<{ readonly enr: string }>('discv5_nodeInfo')
  t.regex(enr, /^enr:/)
})
