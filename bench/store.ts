/**
 * The content store beside bare lmdb, which does the same writes with the same flush before each acknowledgement, but
 * has no distance, size or radius: the difference is the price of the policy. Then a full store, in which every put
 * evicts.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { LmdbStore } from '../src/store/lmdb-store.ts'
import { type Contender, sideBySide } from './measurement.ts'
import { type BenchOptions, type BenchReport, ratioOf } from './report.ts'

const AMPLE_BYTES = 4e9
/** Items that fill the full store before it is measured. */
const FULL_ITEMS = 500

interface Sink {
  put(contentId: Uint8Array, value: Uint8Array): Promise<unknown>
  get(contentId: Uint8Array): Uint8Array | undefined
  close(): Promise<void>
}

async function storeSink(file: string, capacityBytes: number): Promise<Sink> {
  const store = await LmdbStore.open(file, {
    nodeId: new Uint8Array(32).fill(5),
    capacityBytes,
    radius: { type: 'max' },
  })
  return {
    put: (contentId, value) => store.put(contentId, contentId.subarray(0, 9), value),
    get: contentId => store.get(contentId)?.value,
    close: () => store.close(),
  }
}

async function lmdbSink(file: string): Promise<Sink> {
  const root: RootDatabase<Uint8Array, Uint8Array> = open({
    path: file,
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  })
  return {
    put: (contentId, value) => root.put(contentId, value),
    get: contentId => root.getBinary(contentId),
    close: () => root.close(),
  }
}

/** Puts `operations` values, `atOnce` of them at the same time. */
async function putAll(sink: Sink, operations: number, valueBytes: number, atOnce: number): Promise<void> {
  let left = operations
  const value = randomBytes(valueBytes)
  const worker = async (): Promise<void> => {
    while (left-- > 0) await sink.put(randomBytes(32), value)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

export async function run({ quick, runs }: BenchOptions): Promise<BenchReport> {
  const directory = mkdtempSync(path.join(tmpdir(), 'spimpl-bench-'))
  const scale = quick ? 0.1 : 1
  let files = 0
  const nextFile = (): string => path.join(directory, `${files++}.mdb`)

  const putting = (
    peer: string,
    make: () => Promise<Sink>,
    count: number,
    valueBytes: number,
    atOnce: number,
  ): Contender => {
    let sink: Sink
    return {
      peer,
      operations: Math.ceil(count * scale),
      prepare: async () => {
        sink = await make()
      },
      run: operations => putAll(sink, operations, valueBytes, atOnce),
      cleanUp: () => sink.close(),
    }
  }
  const full = async (): Promise<Sink> => {
    const sink = await storeSink(nextFile(), FULL_ITEMS * 100_000)
    await putAll(sink, FULL_ITEMS, 100_000, 16)
    return sink
  }
  const getting = (peer: string, make: () => Promise<Sink>): Contender => {
    let sink: Sink
    const ids = Array.from({ length: 200 }, () => randomBytes(32))
    return {
      peer,
      operations: Math.ceil(2000 * scale),
      prepare: async () => {
        sink = await make()
        await Promise.all(ids.map(id => sink.put(id, randomBytes(100_000))))
      },
      run: operations => {
        for (let at = 0; at < operations; at++) sink.get(ids[at % ids.length]!)
      },
      cleanUp: () => sink.close(),
    }
  }
  const ours = () => storeSink(nextFile(), AMPLE_BYTES)
  const bare = () => lmdbSink(nextFile())
  try {
    const rows = [
      ...(await sideBySide(
        'put 200 B, one at a time',
        [putting('spimpl', ours, 300, 200, 1), putting('lmdb', bare, 300, 200, 1)],
        runs,
      )),
      ...(await sideBySide(
        'put 200 B, 64 at once',
        [putting('spimpl', ours, 5000, 200, 64), putting('lmdb', bare, 5000, 200, 64)],
        runs,
      )),
      ...(await sideBySide(
        'put 100 kB, 16 at once',
        [
          putting('spimpl', ours, 500, 100_000, 16),
          putting('spimpl, full', full, 500, 100_000, 16),
          putting('lmdb', bare, 500, 100_000, 16),
        ],
        runs,
      )),
      ...(await sideBySide('get 100 kB', [getting('spimpl', ours), getting('lmdb', bare)], runs)),
    ]
    const ratios: Record<string, number> = {}
    for (const [name, subject] of [
      ['putSmallVsLmdb', 'put 200 B, 64 at once'],
      ['putLargeVsLmdb', 'put 100 kB, 16 at once'],
      ['getLargeVsLmdb', 'get 100 kB'],
    ] as const) {
      const ratio = ratioOf(rows, subject, 'lmdb', 'spimpl')
      if (ratio !== undefined) ratios[name] = ratio
    }
    return {
      rows,
      ratios,
      notes: ['a put ends when it is flushed to the disk; a get ends with its own copy of the value'],
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
