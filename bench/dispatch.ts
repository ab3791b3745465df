import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { backendInfo, DispatchQueue, NativeJobs, PinnedThread } from 'node-dispatch-addon'
import { Piscina } from 'piscina'
import { type Contender, sideBySide } from './measurement.ts'
import { benchDirectory } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

const WORKER = path.join(benchDirectory, 'peers', 'round-trip-worker.mjs')
const IN_FLIGHT = 64

const PISCINA = 'piscina'
const PORT = 'worker_threads MessagePort'
const FUNCTION = 'threadsafe function'
const PINNED = 'spimpl, pinned thread'

/** One way to another thread and back: `call` settles when the answer is here. */
interface Way {
  readonly peer: string
  readonly call: (number: number) => Promise<unknown>
  readonly close: () => unknown
}

/** From JavaScript to another thread and back, one at a time and with many on their way. */
export async function run(options: BenchOptions): Promise<BenchReport> {
  const runs = options.runs ?? (options.quick ? 2 : 7)
  const notes: string[] = []
  const ways = [...spimplWays(notes), piscinaWay(), await portWay(), ...functionWay(notes)]
  const one = options.quick ? 300 : 5_000
  const many = options.quick ? 20 * IN_FLIGHT : 300 * IN_FLIGHT
  const oneByOne = ways.map(({ peer, call }): Contender => {
    return {
      peer,
      operations: one,
      async run(count) {
        for (let number = 0; number < count; number++) await call(number)
      },
    }
  })
  const together = ways.map(({ peer, call }): Contender => {
    return {
      peer,
      operations: many,
      async run(count) {
        const chain = async (): Promise<void> => {
          for (let number = 0; number < count / IN_FLIGHT; number++) await call(number)
        }
        await Promise.all(Array.from({ length: IN_FLIGHT }, chain))
      },
    }
  })
  const rows: BenchRow[] = [
    ...(await sideBySide('round trip', oneByOne, runs)),
    ...(await sideBySide(`round trip, ${IN_FLIGHT} on their way`, together, runs)),
  ]
  const items = laneItems(options.quick ? 20_000 : 200_000)
  if (items !== undefined) rows.push(...(await sideBySide('item of a queue on this lane', [items], runs)))
  for (const way of ways) await way.close()
  const ratios: Record<string, number> = {}
  for (const [name, peer] of [
    ['Piscina', PISCINA],
    ['MessagePort', PORT],
    ['ThreadsafeFunction', FUNCTION],
  ] as const) {
    for (const [kind, subject] of [
      ['roundTrip', 'round trip'],
      ['manyRoundTrips', `round trip, ${IN_FLIGHT} on their way`],
    ] as const) {
      const ratio = ratioOf(rows, subject, peer, 'spimpl')
      if (ratio !== undefined) ratios[`${kind}Vs${name}`] = ratio
    }
  }
  return { rows, ratios, notes }
}

/** The smallest native job there is: the hash of one byte. */
function spimplWays(notes: string[]): Way[] {
  const { addon, libdispatch } = backendInfo()
  if (!addon.loaded) {
    notes.push(`the addon is not here: ${addon.reasons.join('; ')}`)
    return []
  }
  const message = [new Uint8Array(1)]
  const thread = new PinnedThread({ name: 'bench' })
  const pinned = new NativeJobs(thread)
  const ways: Way[] = [{ peer: PINNED, call: () => pinned.keccak256(message), close: () => thread.stop() }]
  if (!libdispatch.found) notes.push(`no libdispatch here: ${libdispatch.refused.join('; ')}`)
  else {
    const queue = new DispatchQueue('bench.round-trip', { target: DispatchQueue.global('user-initiated') })
    const jobs = new NativeJobs(queue)
    ways.unshift({ peer: 'spimpl', call: () => jobs.keccak256(message), close: () => queue.release() })
    notes.push(
      `libdispatch of ${path.basename(libdispatch.path ?? '')}; the job is keccak-256 of one byte, the peers only echo`,
    )
  }
  return ways
}

function piscinaWay(): Way {
  const pool = new Piscina({ filename: WORKER, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: IN_FLIGHT })
  return { peer: PISCINA, call: number => pool.run(number), close: () => pool.destroy() }
}

/** Answers come in the order of the questions. */
function inOrder(send: (number: number) => void): { call: Way['call']; answered: () => void } {
  const waiting: (() => void)[] = []
  let head = 0
  return {
    call: number =>
      new Promise<void>(resolve => {
        waiting.push(resolve)
        send(number)
      }),
    answered() {
      waiting[head++]!()
      if (head === waiting.length) {
        waiting.length = 0
        head = 0
      }
    },
  }
}

async function portWay(): Promise<Way> {
  const worker = new Worker(WORKER, { workerData: { echo: true } })
  const { call, answered } = inOrder(number => worker.postMessage(number))
  worker.on('message', answered)
  await call(0)
  return { peer: PORT, call, close: () => worker.terminate() }
}

interface ThreadsafeFunction {
  start(callback: (number: number) => void): void
  send(number: number): void
  stop(): void
}

function functionWay(notes: string[]): Way[] {
  const source = path.join(benchDirectory, 'peers', 'threadsafe-function.cc')
  const folder = path.join(benchDirectory, '..', '.cache', 'bench')
  const addon = path.join(folder, `threadsafe-function-${process.versions.modules}.node`)
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)))
  const headers = path.join(prefix, 'include', 'node')
  if (!existsSync(addon)) {
    mkdirSync(folder, { recursive: true })
    const flags = ['-std=c++17', '-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8', `-I${headers}`]
    const { status } = spawnSync('g++', [...flags, source, '-lpthread', '-o', addon], { stdio: 'ignore' })
    if (status !== 0) {
      notes.push('a threadsafe function needs g++ and the headers of node, its rows are skipped')
      return []
    }
  }
  const native = createRequire(import.meta.url)(addon) as ThreadsafeFunction
  const { call, answered } = inOrder(number => native.send(number))
  native.start(answered)
  return [{ peer: FUNCTION, call, close: () => native.stop() }]
}

/** What an item costs that is enqueued through libdispatch and comes back to this thread. */
function laneItems(operations: number): Contender | undefined {
  if (!backendInfo().libdispatch.found) return undefined
  const queue = new DispatchQueue('bench.items')
  return {
    peer: 'spimpl',
    operations,
    run: count =>
      new Promise<void>(resolve => {
        let left = count
        const item = () => {
          if (--left === 0) resolve()
        }
        for (let number = 0; number < count; number++) queue.async(item)
      }),
  }
}
