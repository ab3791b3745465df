/** Actors beside their peers: tell, ping-pong, ask, spawn and stop, fan-in, a ring, idle memory, and between lanes. */
import type { ActorPeer } from './actor-peers/actor-peer.ts'
import { barePeers } from './actor-peers/bare.ts'
import { comedyPeer } from './actor-peers/comedy.ts'
import { erlangPeer } from './actor-peers/erlang.ts'
import { laneRows } from './actor-peers/lanes.ts'
import { nactPeer } from './actor-peers/nact.ts'
import { spimplPeer } from './actor-peers/spimpl.ts'
import { xstatePeers } from './actor-peers/xstate.ts'
import { rowOf } from './measurement.ts'
import { absent, peerVersion } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

type Subject = 'tell' | 'pingPong' | 'ask' | 'spawnStop' | 'fanIn' | 'ring' | 'idle'

const subjects: readonly { readonly subject: Subject; readonly operations: number; readonly unit: string }[] = [
  { subject: 'tell', operations: 1_000_000, unit: 'ns/message' },
  { subject: 'pingPong', operations: 1_000_000, unit: 'ns/message' },
  { subject: 'ask', operations: 100_000, unit: 'ns/question' },
  { subject: 'spawnStop', operations: 50_000, unit: 'ns/actor' },
  { subject: 'fanIn', operations: 500_000, unit: 'ns/message' },
  { subject: 'ring', operations: 500_000, unit: 'ns/hop' },
  { subject: 'idle', operations: 100_000, unit: 'B/actor' },
]

export async function run({ quick, runs = quick ? 1 : 5 }: BenchOptions): Promise<BenchReport> {
  const notes: string[] = []
  const tracing = spimplPeer('spimpl, tracing', true)
  const peers: ActorPeer[] = [spimplPeer(), { ...tracing, idle: undefined } as unknown as ActorPeer]
  const add = (name: string, peer: ActorPeer | undefined) => {
    if (peer === undefined) notes.push(absent(name))
    else peers.push(peer)
  }
  add('nact', await nactPeer())
  const xstate = await xstatePeers()
  if (xstate.length === 0) notes.push(absent('xstate'))
  peers.push(...xstate)
  add('comedy', await comedyPeer())
  peers.push(...barePeers)
  add('Erlang/OTP', erlangPeer())
  const rows: BenchRow[] = []
  for (const { subject, operations, unit } of subjects) {
    rows.push(...(await measured(peers, subject, quick ? operations / 20 : operations, unit, runs)))
  }
  for (const peer of peers) await peer.close?.()
  rows.push(...(await laneRows(runs, quick)))
  for (const name of ['nact', 'xstate', 'comedy']) {
    const version = peerVersion(name)
    if (version !== undefined) notes.push(`${name} ${version}`)
  }
  notes.push('xstate and EventEmitter handle a message within send: they have no mailbox to wait in')
  return { rows, ratios: ratiosOf(rows), notes }
}

/** All peers run by run in turn, after one run each that is not counted. */
async function measured(
  peers: readonly ActorPeer[],
  subject: Subject,
  operations: number,
  unit: string,
  runs: number,
): Promise<BenchRow[]> {
  const able = peers.filter(peer => peer[subject] !== undefined)
  const figures = new Map<ActorPeer, number[]>(able.map(peer => [peer, []]))
  for (let run = -1; run < runs; run++) {
    for (const peer of able) {
      // A thousand senders need a thousand messages each way, whatever the share.
      const mine = Math.max(Math.round((operations * peer.share) / 2_000) * 2_000, 2_000)
      globalThis.gc?.()
      const figure = await peer[subject]!(mine)
      if (run >= 0) figures.get(peer)!.push(figure)
    }
  }
  return able.map(peer => rowOf(subject, peer.peer, subject === 'idle' ? 'memory' : 'time', unit, figures.get(peer)!))
}

function ratiosOf(rows: readonly BenchRow[]): Record<string, number> {
  const wanted: readonly [string, Subject, string, string][] = [
    ['tellVsNact', 'tell', 'nact', 'spimpl'],
    ['pingPongVsNact', 'pingPong', 'nact', 'spimpl'],
    ['tellVsFromTransition', 'tell', 'xstate fromTransition', 'spimpl'],
    ['pingPongVsFromTransition', 'pingPong', 'xstate fromTransition', 'spimpl'],
    ['pingPongVsOtp', 'pingPong', 'Erlang/OTP', 'spimpl'],
    ['spawnVsNact', 'spawnStop', 'nact', 'spimpl'],
    ['tracingOnVsOff', 'tell', 'spimpl, tracing', 'spimpl'],
    ['tracingOnVsOffPingPong', 'pingPong', 'spimpl, tracing', 'spimpl'],
  ]
  const ratios: Record<string, number> = {}
  for (const [name, subject, above, below] of wanted) {
    const ratio = ratioOf(rows, subject, above, below)
    if (ratio !== undefined) ratios[name] = ratio
  }
  return ratios
}
