import { existsSync } from 'node:fs'
import path from 'node:path'
import { ComputePool } from 'spimpl-runtime/compute-pool'
import { keccak256 } from '../src/crypto/keccak.ts'
import { makeChain } from '../src/history/chain-maker/chain-maker.ts'
import { type Block, loadBlocks } from '../src/history/headers/block-file.ts'
import { validateBody, validateReceipts } from '../src/history/history.ts'
import { INLINE_CONTENT_BYTES } from '../src/history/limits.ts'
import { type ValidationJob, type validateInWorker, validationTask } from '../src/history/validation/validation-task.ts'
import { type Contender, rowOf, time } from './measurement.ts'
import { loadEthereumJs } from './peers/ethereumjs.ts'
import { absent, benchDirectory } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

/**
 * From the bytes of a body or of a receipts list to the roots in its header, as a node validates all content that it
 * keeps: mainnet's largest blocks of the shared vectors, or made blocks if there are no vectors.
 */
export async function run({ quick, runs }: BenchOptions): Promise<BenchReport> {
  const notes: string[] = []
  const blocks = await blocksToValidate(notes)
  const largest = (part: 'body' | 'receipts') => blocks.reduce((a, b) => (b[part].length > a[part].length ? b : a))
  const ethereumjs = await loadEthereumJs()
  if (ethereumjs === undefined) notes.push(absent('@ethereumjs'))
  const [many, few] = quick ? [3, 1] : [20, 2]
  const count = runs ?? (quick ? 1 : 7)

  const receipts = largest('receipts')
  const receiptsSubject = subjectOf('receipts', receipts)
  const body = largest('body')
  const bodySubject = subjectOf('body', body)
  const rows = [
    ...(await milliseconds(receiptsSubject, count, [
      contender('spimpl', many, () => validateReceipts(receipts.header, receipts.receipts).ok),
      ...(ethereumjs === undefined
        ? []
        : [
            contender('@ethereumjs', few, () => ethereumjs.validateReceipts(receipts.header, receipts.receipts)),
            // Their packages with our hash: the difference is not the hash.
            contender('@ethereumjs, our keccak', few, () =>
              ethereumjs.validateReceipts(receipts.header, receipts.receipts, keccak256),
            ),
          ]),
    ])),
    ...(await milliseconds(bodySubject, count, [
      contender('spimpl', many, () => validateBody(body.header, body.body).ok),
      ...(ethereumjs === undefined
        ? []
        : [contender('@ethereumjs', few, () => ethereumjs.validateBody(body.header, body.body))]),
    ])),
    ...(await placeAgainstPool(blocks, count, many)),
    await perKilobyte('every body', count, many, blocks, 'body'),
    await perKilobyte('every receipts list', count, many, blocks, 'receipts'),
  ]
  const ratio = (subject: string) => ratioOf(rows, subject, '@ethereumjs', 'spimpl')
  const ratios = { receiptsVsEthereumJs: ratio(receiptsSubject), bodyVsEthereumJs: ratio(bodySubject) }
  return {
    rows,
    ratios: Object.fromEntries(Object.entries(ratios).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    notes,
  }
}

async function blocksToValidate(notes: string[]): Promise<Block[]> {
  const shared = process.env.SPIMPL_VECTORS ?? path.join(benchDirectory, '..', '..', 'shared', 'vectors')
  const directory = path.join(shared, 'mainnet', 'block-data')
  if (existsSync(directory)) return loadBlocks(directory)
  notes.push('no ../shared/vectors beside this clone: made blocks instead of mainnet blocks')
  return makeChain({ seed: 1, blocks: 4 })
}

function subjectOf(part: 'body' | 'receipts', block: Block): string {
  return `${part} of block ${block.number}, ${block[part].length} B`
}

/** A contender that refuses valid content has not validated it. */
function contender(peer: string, operations: number, validate: () => boolean | Promise<boolean>): Contender {
  return {
    peer,
    operations,
    run: async times => {
      for (let done = 0; done < times; done++) {
        const valid = validate()
        if (valid !== true && !(await valid)) throw new Error(`${peer} refused a valid block`)
      }
    },
  }
}

/** Runs the contenders in turn; the first run is not counted. */
async function milliseconds(subject: string, runs: number, contenders: readonly Contender[]): Promise<BenchRow[]> {
  const figures = new Map<string, number[]>(contenders.map(({ peer }) => [peer, []]))
  for (let run = -1; run < runs; run++) {
    for (const contender of contenders) {
      const nanoseconds = await time(contender)
      if (run >= 0) figures.get(contender.peer)!.push(nanoseconds / 1e6)
    }
  }
  return contenders.map(({ peer }) => rowOf(subject, peer, 'bytes to roots', 'ms', figures.get(peer)!))
}

/** The largest body that is validated in place, in place and on another thread: the reason for the threshold. */
async function placeAgainstPool(blocks: readonly Block[], runs: number, operations: number): Promise<BenchRow[]> {
  const small = blocks.filter(({ body }) => body.length <= INLINE_CONTENT_BYTES)
  const block = small.reduce((a, b) => (b.body.length > a.body.length ? b : a))
  const { header, number, body } = block
  const job: ValidationJob = { contentType: 'body', number, header: header.bytes, bytes: body }
  await using pool = new ComputePool({ threads: 1 })
  return await milliseconds(subjectOf('body', block), runs, [
    contender('spimpl', operations, () => validateBody(header, body).ok),
    contender('spimpl, compute pool', operations, async () => {
      const verdict = await pool.run<ValidationJob, Awaited<ReturnType<typeof validateInWorker>>>(validationTask, job)
      return verdict.ok
    }),
  ])
}

/** Over all blocks, small ones included. */
async function perKilobyte(
  subject: string,
  runs: number,
  operations: number,
  blocks: readonly Block[],
  part: 'body' | 'receipts',
): Promise<BenchRow> {
  const kilobytes = blocks.reduce((sum, block) => sum + block[part].length, 0) / 1000
  const all = contender('spimpl', operations, () =>
    blocks.every(({ header, body, receipts }) =>
      part === 'body' ? validateBody(header, body).ok : validateReceipts(header, receipts).ok,
    ),
  )
  const figures: number[] = []
  for (let run = -1; run < runs; run++) {
    const nanoseconds = await time(all)
    if (run >= 0) figures.push(nanoseconds / 1000 / kilobytes)
  }
  return rowOf(subject, 'spimpl', 'time for 1,000 bytes', 'µs/kB', figures)
}
