import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import { toHex } from '../../src/codec/hex.ts'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { encodeContentKey } from '../../src/history/content/content-key.ts'
import { NodeProcess, temporaryDirectory } from '../testing/end-to-end/command.ts'

const RETRIEVALS = 50
const MAX_RESIDENT_BYTES = 600e6

/** The most memory that a process has had resident, as the kernel counted it. */
function peakResidentBytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) * 1024
}

test('fifty retrievals of 1.5 MB at a time between two processes', async t => {
  t.timeout(120_000)
  const headers = path.join(await temporaryDirectory(t), 'blocks')
  await mkdir(headers)
  const profile = { transactions: 12, dataBytes: 125_000, logs: 1, logBytes: 32, withdrawals: 2 }
  const blocks = makeChain({ seed: 3, blocks: RETRIEVALS, profiles: [profile] })
  for (const { number, header } of blocks) {
    await writeFile(path.join(headers, `block-${number}.yaml`), `header: ${toHex(header.bytes)}\n`)
  }
  const [a, b] = await Promise.all([
    NodeProcess.start(t, ['--headers', headers]),
    NodeProcess.start(t, ['--headers', headers]),
  ])
  t.true(await a.result('portal_historyAddEnr', b.ready.enr))
  t.true(await b.result('portal_historyAddEnr', a.ready.enr))
  const keyOf = (number: bigint): string => toHex(encodeContentKey({ type: 'body', number }))
  for (const { number, body } of blocks) {
    t.true(body.length > 1_450_000)
    t.true(await a.result('portal_historyStore', keyOf(number), toHex(body)))
  }
  const answers = await Promise.all(
    blocks.map(async ({ number, body }) => {
      const found = await b.result<{ content: string; utpTransfer: boolean }>('portal_historyGetContent', keyOf(number))
      return found.utpTransfer && found.content === toHex(body)
    }),
  )
  t.is(answers.filter(Boolean).length, RETRIEVALS)
  for (const node of [a, b]) {
    const resident = peakResidentBytes(node.pid)
    if (resident !== undefined) t.true(resident < MAX_RESIDENT_BYTES, `${Math.round(resident / 1e6)} MB`)
    t.deepEqual(
      node.log.filter(line => /unhandled|"level":(50|60)/i.test(line)),
      [],
    )
  }
})
