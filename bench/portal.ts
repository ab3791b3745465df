import { createRequire } from 'node:module'
import { ByteListType, ContainerType, ListCompositeType, UintNumberType } from '@chainsafe/ssz'
import { seededRandomness } from 'spimpl-runtime'
import { nodeCryptography as crypto } from '../src/crypto/node-cryptography.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord, portalEntry } from '../src/identity/publishable-record.ts'
import { RecordDecoder } from '../src/identity/record-decoder.ts'
import { MAX_RADIUS } from '../src/portal/knowledge/radius.ts'
import { Overlay, type OverlayInput, type OverlayOutput } from '../src/portal/portal.ts'
import { decodeMessage, encodeMessage } from '../src/portal/wire/message.ts'
import { type Contender, sideBySide } from './measurement.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

const PEER = '@chainsafe/ssz'
const VERSION = 2
const NEIGHBOURS = 120

/**
 * The overlay without its network: wire messages beside the SSZ library that could read them, and what it costs to answer a request
 * with a table of a hundred nodes.
 */
export async function run(options: BenchOptions): Promise<BenchReport> {
  const runs = options.runs ?? (options.quick ? 2 : 7)
  const operations = options.quick ? 2_000 : 50_000
  const rows: BenchRow[] = [...(await codecRows(operations, runs)), ...(await servingRows(operations, runs))]
  const ratios: Record<string, number> = {}
  for (const [name, subject] of [
    ['nodesVsChainsafe', 'decode NODES of 7 records'],
    ['offerVsChainsafe', 'decode OFFER of 64 keys'],
    ['refusalVsChainsafe', 'refuse a malformed OFFER'],
  ] as const) {
    const ratio = ratioOf(rows, subject, PEER, 'spimpl')
    if (ratio !== undefined) ratios[name] = ratio
  }
  const { version } = createRequire(import.meta.url)('@chainsafe/ssz/package.json') as { readonly version: string }
  return { rows, ratios, notes: [`${PEER} ${version}`, 'answers without discv5, uTP and the store'] }
}

async function codecRows(operations: number, runs: number): Promise<BenchRow[]> {
  const byteLists = (limit: number) => new ListCompositeType(new ByteListType(2048), limit)
  const nodesType = new ContainerType({ total: new UintNumberType(1), records: byteLists(32) })
  const offerType = new ContainerType({ keys: byteLists(64) })
  const nodes = encodeMessage(
    { type: 'nodes', total: 1, records: Array.from({ length: 7 }, (_, index) => new Uint8Array(150).fill(index)) },
    VERSION,
  )
  const offer = encodeMessage(
    { type: 'offer', keys: Array.from({ length: 64 }, (_, index) => new Uint8Array(9).fill(index)) },
    VERSION,
  )
  const malformed = offer.slice()
  malformed[9] = 0xff // the second offset, beyond the end
  let read = 0
  const contender = (peer: string, once: () => number): Contender => ({
    peer,
    operations,
    run(count) {
      for (let index = 0; index < count; index++) read += once()
    },
  })
  const ours = (bytes: Uint8Array) => contender('spimpl', () => (decodeMessage(bytes, VERSION).ok ? 1 : 2))
  const rows = [
    ...(await sideBySide(
      'decode NODES of 7 records',
      [ours(nodes), contender(PEER, () => nodesType.deserialize(nodes.subarray(1)).records.length)],
      runs,
    )),
    ...(await sideBySide(
      'decode OFFER of 64 keys',
      [ours(offer), contender(PEER, () => offerType.deserialize(offer.subarray(1)).keys.length)],
      runs,
    )),
    ...(await sideBySide(
      'refuse a malformed OFFER',
      [
        ours(malformed),
        contender(PEER, () => {
          try {
            return offerType.deserialize(malformed.subarray(1)).keys.length
          } catch {
            return 2
          }
        }),
      ],
      runs,
    )),
  ]
  if (read === 0) throw new Error('nothing was read')
  return rows
}

async function servingRows(operations: number, runs: number): Promise<BenchRow[]> {
  const record = (index: number): NodeRecord =>
    new PublishableRecord({
      privateKey: crypto.sha256(Uint8Array.of(index, index >> 8)),
      crypto,
      entries: {
        ...endpointEntries({ host: '127.0.0.1', port: 9_000 + index }),
        p: portalEntry({ min: 0, max: VERSION, chainId: 1n }),
      },
    }).current
  const contentId = crypto.sha256(Uint8Array.of(7))
  const overlay = new Overlay({
    protocol: Uint8Array.of(0x50, 0x00),
    record: record(0),
    radius: MAX_RADIUS,
    contentId: () => contentId,
    records: new RecordDecoder({ crypto }),
    randomness: seededRandomness(1),
    clientInfo: '',
  })
  const handle = (input: OverlayInput): OverlayOutput[] => {
    const outputs: OverlayOutput[] = []
    overlay.handle(input, 0, output => outputs.push(output))
    return outputs
  }
  const empty = encodeMessage({ type: 'nodes', total: 1, records: [] }, VERSION)
  const neighbours = Array.from({ length: NEIGHBOURS }, (_, index) => record(index + 1))
  for (const [ref, to] of neighbours.entries()) {
    for (const output of handle({ type: 'find-nodes', ref, to, distances: [] })) {
      if (output.type === 'talk') handle({ type: 'talk-answered', ref: output.ref, payload: empty })
    }
  }
  const request = (payload: Uint8Array, content: Uint8Array | undefined): Contender => ({
    peer: 'spimpl',
    operations: Math.ceil(operations / 5),
    run(count) {
      for (let index = 0; index < count; index++) {
        const from = neighbours[index % NEIGHBOURS]!
        const token = { nodeIdHex: from.nodeIdHex, endpoint: from.endpoint!, requestId: payload }
        for (const output of handle({ type: 'talk-requested', from, payload, token })) {
          if (output.type === 'want-content') handle({ type: 'content-read', ref: output.ref, content })
        }
      }
    },
  })
  const findContent = encodeMessage({ type: 'find-content', key: new Uint8Array(9) }, VERSION)
  const findNodes = encodeMessage({ type: 'find-nodes', distances: [256, 255, 254] }, VERSION)
  return [
    ...(await sideBySide('answer FIND_CONTENT inline', [request(findContent, new Uint8Array(1_000))], runs)),
    ...(await sideBySide('answer FIND_CONTENT with records', [request(findContent, undefined)], runs)),
    ...(await sideBySide('answer FIND_NODES', [request(findNodes, undefined)], runs)),
  ]
}
