import { rowOf } from './measurement.ts'
import { PeerProcess } from './processes/peer-process.ts'
import type { BenchOptions, BenchReport, BenchRow } from './report.ts'

/** Megabytes (10^6) in each stream, and streams at a time. */
const LOADS = [
  { megabytes: 1, streams: 1 },
  { megabytes: 10, streams: 1 },
  { megabytes: 100, streams: 1 },
  { megabytes: 10, streams: 8 },
] as const

/** The goal of the first day: 10 MB in one stream. */
const GOAL_MEGABYTES_PER_SECOND = 8

let connectionId = 1000

/** uTP over discv5 between two processes on loopback: sealed, acknowledged, in order, on node:dgram. */
export async function run({ quick, runs = quick ? 1 : 3 }: BenchOptions): Promise<BenchReport> {
  const [sender, receiver] = await Promise.all([PeerProcess.start(), PeerProcess.start()])
  try {
    await transfer(sender, receiver, 10, 1) // the handshake, and the compiler's warm-up
    const rows: BenchRow[] = []
    for (const { megabytes, streams } of quick ? LOADS.slice(0, 1) : LOADS) {
      const rates: number[] = []
      for (let run = 0; run < runs; run++) rates.push(await transfer(sender, receiver, megabytes, streams))
      const subject = `${streams} x ${megabytes} MB`
      rows.push(rowOf(subject, 'spimpl', 'throughput', 'MB/s', rates))
    }
    const counters = receiver.report('counters')
    receiver.tell({ type: 'counters' })
    const { transport, residentBytes } = await counters
    const tenMegabytes = rows.find(row => row.subject === '1 x 10 MB')?.median
    const hundred = rows.find(row => row.subject === '1 x 100 MB')?.median
    return {
      rows,
      ratios: {
        ...(tenMegabytes === undefined ? {} : { tenMegabytesVsGoal: tenMegabytes / GOAL_MEGABYTES_PER_SECOND }),
        ...(tenMegabytes === undefined || hundred === undefined
          ? {}
          : { hundredVsTenMegabytes: hundred / tenMegabytes }),
      },
      notes: [
        `the receiver's kernel dropped ${transport.kernelDrops} datagrams of ${transport.received}, with ${transport.receiveBufferBytes} bytes of receive buffer granted`,
        `resident memory of the receiver: ${Math.round(residentBytes / 1e6)} MB`,
        'no peer of this protocol is on the npm registry that runs it between two processes without a network of its own',
      ],
    }
  } finally {
    sender.stop()
    receiver.stop()
  }
}

/** @returns MB/s of all streams together, from the first SYN to the last acknowledged FIN */
async function transfer(
  sender: PeerProcess,
  receiver: PeerProcess,
  megabytes: number,
  streams: number,
): Promise<number> {
  const bytes = megabytes * 1e6
  const ids = Array.from({ length: streams }, () => {
    connectionId += 3
    return connectionId
  })
  const ends = ids.map(id => Promise.all([receiver.report('received', id), sender.report('sent', id)]))
  for (const id of ids) receiver.tell({ type: 'expect', from: sender.enr, connectionId: id, bytes })
  const expecting = receiver.report('counters') // the pipe keeps order: with this answer, all expectations are set
  receiver.tell({ type: 'counters' })
  await expecting
  const start = performance.now()
  for (const id of ids) sender.tell({ type: 'send', to: receiver.enr, connectionId: id, bytes })
  for (const [received, sent] of await Promise.all(ends)) {
    if (received.bytes !== bytes || sent.reason !== 'finished') {
      throw new Error(`expected ${bytes} bytes, got ${received.bytes} (${received.reason}, ${sent.reason})`)
    }
  }
  return (streams * megabytes * 1000) / (performance.now() - start)
}
