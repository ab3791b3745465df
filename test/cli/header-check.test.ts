import test from 'ava'
import { checkHeaders } from '../../cli/header-check.ts'
import { NETWORKS } from '../../node/options/networks.ts'
import { fromHex } from '../../src/codec/hex.ts'
import { ok, refused, unwrap } from '../../src/errors.ts'
import type { HeaderAnswer, HeaderSource } from '../../src/history/headers/header-source.ts'
import { headerOf } from '../testing/history/headers.ts'

async function said(answer: HeaderAnswer, signal = new AbortController().signal): Promise<string[]> {
  const lines: string[] = []
  const source: HeaderSource = { headerByNumber: async () => answer, close: async () => {} }
  const say = (level: string) => (fields: object, text: string) => {
    lines.push(`${level} ${text} ${JSON.stringify(fields)}`)
  }
  await checkHeaders(source, NETWORKS.sepolia, { warn: say('warn'), error: say('error') } as never, signal)
  return lines
}

const genesis = (hash: string): HeaderAnswer => ok({ ...headerOf(0n), hash: unwrap(fromHex(hash)) })

test('an execution client of the chain is nothing to speak of', async t => {
  t.deepEqual(await said(genesis(NETWORKS.sepolia.genesisHash!)), [])
})

test('one of another chain, and one that gives nothing, are named at once', async t => {
  const [other] = await said(genesis(NETWORKS.mainnet.genesisHash!))
  t.regex(other ?? '', /^error --headers: expected the chain of --network sepolia.*0x25a5cc.*0xd4e567/)
  const [silent] = await said(refused('HEADER_UNAVAILABLE', 'HTTP status 401'))
  t.regex(silent ?? '', /^warn --headers: expected block 0.*HTTP status 401/)
})

test('a node that stops before the answer says nothing', async t => {
  t.deepEqual(await said(refused('HEADER_UNAVAILABLE', 'withdrawn'), AbortSignal.abort()), [])
})
