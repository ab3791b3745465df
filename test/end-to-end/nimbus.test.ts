import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { toHex } from '../../src/codec/hex.ts'
import { encodeContentKey, type HistoryContentType } from '../../src/history/content/content-key.ts'
import { readBlockFile } from '../../src/history/headers/block-file.ts'
import { encodeHeader } from '../../src/history/headers/header.ts'
import { NodeProcess } from '../testing/end-to-end/command.ts'
import { eventually, NimbusProcess, nimbusPortalClient } from '../testing/end-to-end/nimbus.ts'
import { blocksDirectory } from '../testing/history/blocks.ts'
import { executionClient } from '../testing/history/execution-client.ts'

const command = nimbusPortalClient()
const blocks = blocksDirectory()
const onNimbus = command === undefined || blocks === undefined ? test.skip : test

const fileOf = (number: number): string => path.join(blocks!, `block-data-${number}.yaml`)

async function contentOf(type: HistoryContentType, number: number) {
  const block = await readBlockFile(fileOf(number))
  return { key: toHex(encodeContentKey({ type, number: BigInt(number) })), value: toHex(block[type]!) }
}

/** One node of each kind, which know each other. */
async function pair(t: ExecutionContext): Promise<{ readonly nimbus: NimbusProcess; readonly spimpl: NodeProcess }> {
  const headers = await executionClient(t, ({ id, params }, response) => {
    void readBlockFile(fileOf(Number(params[0]))).then(block => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: toHex(encodeHeader(block.header)) }))
    })
    return undefined
  })
  const [nimbus, spimpl] = await Promise.all([
    NimbusProcess.start(t, command!, headers.url),
    NodeProcess.start(t, ['--headers', blocks!, '--radius', 'max']),
  ])
  t.true(await spimpl.result('portal_historyAddEnr', nimbus.enr))
  await nimbus.result('portal_historyPing', spimpl.ready.enr)
  return { nimbus, spimpl }
}

onNimbus('nimbus and spimpl: pings and FindNodes (skipped without nimbus_portal_client)', async t => {
  t.timeout(60_000)
  const { nimbus, spimpl } = await pair(t)
  const ours = await spimpl.result<{ payloadType: number }>('portal_historyPing', nimbus.enr)
  t.is(ours.payloadType, 0)
  const theirs = await nimbus.result<{ payload: { dataRadius: string } }>('portal_historyPing', spimpl.ready.enr)
  t.is(theirs.payload.dataRadius, `0x${'ff'.repeat(32)}`)
  t.deepEqual(await spimpl.result('portal_historyFindNodes', nimbus.enr, [0]), [nimbus.enr])
  t.deepEqual(await nimbus.result('portal_historyFindNodes', spimpl.ready.enr, [0]), [spimpl.ready.enr])
})

onNimbus('nimbus and spimpl: what one stores the other gets, small and over uTP', async t => {
  t.timeout(60_000)
  const { nimbus, spimpl } = await pair(t)
  const cases = [
    { holder: nimbus, asker: spimpl, type: 'receipts', number: 15537394, utpTransfer: true },
    { holder: nimbus, asker: spimpl, type: 'body', number: 15537393, utpTransfer: false },
    { holder: spimpl, asker: nimbus, type: 'body', number: 19426586, utpTransfer: true },
    { holder: spimpl, asker: nimbus, type: 'receipts', number: 15537393, utpTransfer: false },
  ] as const
  for (const { holder, asker, type, number, utpTransfer } of cases) {
    const { key, value } = await contentOf(type, number)
    t.true(await holder.result<boolean>('portal_historyStore', key, value))
    t.deepEqual(await asker.result('portal_historyGetContent', key), { content: value, utpTransfer })
  }
})

onNimbus('nimbus and spimpl: what is put at one is kept by the other after its own validation', async t => {
  t.timeout(60_000)
  const { nimbus, spimpl } = await pair(t)
  const numbers = [15537394, 17034869, 19426586, 22431084]
  const cases = numbers.flatMap(number => [
    { from: spimpl, to: nimbus, type: 'receipts', number } as const,
    { from: nimbus, to: spimpl, type: 'body', number } as const,
  ])
  await Promise.all(
    cases.map(async ({ from, to, type, number }) => {
      const { key, value } = await contentOf(type, number)
      const put = await from.result<{ readonly peerCount: number }>('portal_historyPutContent', key, value)
      t.is(put.peerCount, 1)
      t.true((await eventually(() => to.result('portal_historyLocalContent', key))) === value)
    }),
  )
})
