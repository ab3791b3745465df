import { systemRandomness } from 'spimpl-runtime'
import { type StreamInput, type StreamOutput, UtpConnection } from '../src/utp/utp.ts'
import { rowOf } from './measurement.ts'
import type { BenchOptions, BenchReport, BenchRow } from './report.ts'

/** Megabytes (10^6) in one stream. */
const LOADS = [10, 100]
/** Packets that a transport delivers in one turn of the event loop under load. */
const BATCH = 64
/** The goal. The rest of a packet's time is for AES and the socket. */
const GOAL_NANOSECONDS = 2000

/**
 * The uTP core alone: both ends of one stream in memory, without a network, cryptography or actors. It shows whether a
 * packet costs as much at the end of 100 MB as at the start.
 */
export async function run({ quick, runs = quick ? 2 : 7 }: BenchOptions): Promise<BenchReport> {
  // No forced collection between runs: after one, V8 spends the next 10 MB on growing its young generation again.
  for (let warmUp = 0; warmUp < (quick ? 3 : 10); warmUp++) transfer(10)
  const rows: BenchRow[] = []
  for (const megabytes of quick ? LOADS.slice(0, 1) : LOADS) {
    const nanoseconds: number[] = []
    const rates: number[] = []
    for (let run = 0; run < runs; run++) {
      const { milliseconds, packets } = transfer(megabytes)
      nanoseconds.push((milliseconds * 1e6) / packets)
      rates.push((megabytes * 1000) / milliseconds)
    }
    const subject = `${megabytes} MB in memory, both ends`
    rows.push(rowOf(subject, 'spimpl', 'time', 'ns/packet', nanoseconds))
    rows.push(rowOf(subject, 'spimpl', 'throughput', 'MB/s', rates))
  }
  const [ten, hundred] = LOADS.map(
    megabytes => rows.find(row => row.subject.startsWith(`${megabytes} MB`) && row.metric === 'time')?.median,
  )
  return {
    rows,
    ratios: {
      ...(ten === undefined ? {} : { goalVsTenMegabytes: GOAL_NANOSECONDS / ten }),
      ...(ten === undefined || hundred === undefined ? {} : { hundredVsTenMegabytes: hundred / ten }),
    },
    notes: [
      'a packet is counted once: the figure includes writing it, reading it, and its share of the acks',
      'no peer: no uTP implementation on the npm registry runs without a socket of its own',
    ],
  }
}

function transfer(megabytes: number): { readonly milliseconds: number; readonly packets: number } {
  const bytes = new Uint8Array(megabytes * 1e6)
  const randomness = systemRandomness()
  const sender = UtpConnection.initiate({ connectionId: 7, randomness })
  const receiver = UtpConnection.accept({ connectionId: 7, randomness })
  let toSender: Uint8Array[] = []
  let toReceiver: Uint8Array[] = []
  let received = 0
  let unread = 0
  let packets = 0
  let reason: string | undefined

  const onSender = (output: StreamOutput): void => {
    if (output.type !== 'send') return
    for (const packet of output.packets) toReceiver.push(packet)
  }
  const onReceiver = (output: StreamOutput): void => {
    if (output.type === 'send') for (const packet of output.packets) toSender.push(packet)
    else if (output.type === 'data') unread += output.bytes
    else if (output.type === 'closed') reason = output.reason
  }
  const feed = (input: StreamInput): void => sender.handle(input, performance.now(), onSender)

  const start = performance.now()
  receiver.handle({ type: 'open' }, start, onReceiver)
  feed({ type: 'open' })
  feed({ type: 'write', bytes })
  feed({ type: 'finish' })
  while (reason === undefined) {
    const arrived = toReceiver
    toReceiver = []
    packets += arrived.length
    for (let at = 0; at < arrived.length; at += BATCH) {
      receiver.handle({ type: 'packets', packets: arrived.slice(at, at + BATCH) }, performance.now(), onReceiver)
      if (unread === 0) continue
      received += unread
      receiver.handle({ type: 'read', bytes: unread }, performance.now(), onReceiver)
      unread = 0
    }
    const acks = toSender
    toSender = []
    packets += acks.length
    if (acks.length > 0) feed({ type: 'packets', packets: acks })
    if (sender.deadline() <= performance.now()) feed({ type: 'timeout' })
  }
  const milliseconds = performance.now() - start
  if (received !== bytes.length || reason !== 'finished')
    throw new Error(`expected ${bytes.length} bytes and 'finished', got ${received} and '${reason}'`)
  return { milliseconds, packets }
}
