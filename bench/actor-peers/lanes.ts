import { Worker } from 'node:worker_threads'
import { behavior, type Ref, type ReplyTo, System } from 'spimpl-runtime'
import { percentile, rowOf } from '../measurement.ts'
import type { BenchRow } from '../report.ts'

type Remote =
  | { readonly type: 'count'; readonly by: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }

/** Runs on the lane. */
export const remote = behavior<Remote>(() => {
  let sum = 0
  return {
    count: ({ by }) => {
      sum += by
    },
    read: ({ replyTo }) => void replyTo.tell(sum),
  }
})

/** Runs that are not counted, in which the engine gets to know the code on both threads. */
const WARM_UPS = 3

/** Between two lanes, beside a bare MessagePort that echoes. */
export async function laneRows(runs: number, quick: boolean): Promise<BenchRow[]> {
  await using system = new System()
  const lane = system.lane()
  const ref = system.spawn(lane.behavior<Remote>({ module: import.meta.url, name: 'remote' }), {
    mailbox: { capacity: 1 << 24 },
  })
  const read = () => ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 60_000 })
  await read()
  const throughput: number[] = []
  const trips: number[] = []
  const portTrips: number[] = []
  const portThroughput: number[] = []
  const messages = quick ? 100_000 : 500_000
  const rounds = 3_000
  const port = echoPort()
  for (let run = -WARM_UPS; run < runs; run++) {
    const perSecond = await flood(ref, read, messages)
    const trip = await medianTripMicroseconds(rounds, read)
    const portTrip = await medianTripMicroseconds(rounds, port.trip)
    const portPerSecond = await port.flood(messages)
    if (run < 0) continue
    throughput.push(perSecond)
    trips.push(trip)
    portTrips.push(portTrip)
    portThroughput.push(portPerSecond)
  }
  await port.close()
  return [
    rowOf('lane, tell', 'spimpl', 'throughput', 'messages/s', throughput),
    rowOf('lane, tell', 'MessagePort', 'throughput', 'messages/s', portThroughput),
    rowOf('lane, round trip', 'spimpl', 'time', 'us', trips),
    rowOf('lane, round trip', 'MessagePort', 'time', 'us', portTrips),
  ]
}

async function flood(ref: Ref<Remote>, read: () => Promise<number>, messages: number): Promise<number> {
  const start = performance.now()
  for (let at = 0; at < messages; at++) ref.tell({ type: 'count', by: 1 })
  await read()
  return (messages / (performance.now() - start)) * 1_000
}

async function medianTripMicroseconds(rounds: number, trip: () => Promise<unknown>): Promise<number> {
  const trips: number[] = []
  for (let at = 0; at < rounds; at++) {
    const start = performance.now()
    await trip()
    trips.push((performance.now() - start) * 1_000)
  }
  return percentile(
    trips.sort((a, b) => a - b),
    0.5,
  )
}

/** A worker that posts back every message that wants an answer. */
function echoPort() {
  const code = `require('node:worker_threads').parentPort.on('message', function (message) {
    if (message.type === 'read') this.postMessage(message)
  })`
  const worker = new Worker(code, { eval: true })
  let answered: (message: unknown) => void = () => {}
  worker.on('message', message => answered(message))
  const trip = () =>
    new Promise<unknown>(resolve => {
      answered = resolve
      worker.postMessage({ type: 'read', by: 1 })
    })
  return {
    trip,
    flood: async (messages: number): Promise<number> => {
      const start = performance.now()
      for (let at = 0; at < messages; at++) worker.postMessage({ type: 'count', by: 1 })
      await trip()
      return (messages / (performance.now() - start)) * 1_000
    },
    close: () => worker.terminate(),
  }
}
