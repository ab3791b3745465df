import { type ActorPeer, type Subject, subjects } from './actors/actor-peer.ts'
import { comedyPeer } from './actors/comedy.ts'
import { nactPeer } from './actors/nact.ts'
import { Otp } from './actors/otp.ts'
import { eventEmitterPeer, microtaskPeer } from './actors/plain.ts'
import { spimplPeer } from './actors/spimpl.ts'
import { xstatePeers } from './actors/xstate.ts'
import { type Contender, rowOf, sideBySide } from './measurement.ts'
import { absent } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf, round } from './report.ts'

/** Of the fastest; `share` is for the others. */
const OPERATIONS: Readonly<Record<Subject, number>> = {
  tell: 1_000_000,
  pingPong: 1_000_000,
  ask: 50_000,
  spawn: 50_000,
  fanIn: 100_000,
  ring: 200_000,
}

const SPIMPL = 'spimpl'
const RECORDING = 'spimpl, recording'
const OTP = 'Erlang/OTP'
const MEMORY = 'idle actor'

/** Figures per message of one lane, side by side with what else there is. */
const RATIOS: readonly (readonly [name: string, subject: Subject, slower: string, faster: string])[] = [
  ['tellVsNact', 'tell', 'nact', SPIMPL],
  ['pingPongVsNact', 'pingPong', 'nact', SPIMPL],
  ['tellVsFromTransition', 'tell', 'xstate fromTransition', SPIMPL],
  ['pingPongVsFromTransition', 'pingPong', 'xstate fromTransition', SPIMPL],
  ['pingPongVsOtp', 'pingPong', OTP, SPIMPL],
  ['tellVsOtp', 'tell', OTP, SPIMPL],
  ['askVsNact', 'ask', 'nact', SPIMPL],
  ['askVsOtp', 'ask', OTP, SPIMPL],
  ['spawnVsNact', 'spawn', 'nact', SPIMPL],
  ['spawnVsOtp', 'spawn', OTP, SPIMPL],
  ['tellTracingOnVsOff', 'tell', RECORDING, SPIMPL],
  ['pingPongTracingOnVsOff', 'pingPong', RECORDING, SPIMPL],
]

/** Actors: tell, ping-pong, ask, spawn and stop, fan-in, ring, and the memory of idle ones. */
export async function run(options: BenchOptions): Promise<BenchReport> {
  const runs = options.runs ?? (options.quick ? 2 : 5)
  const otp = await Otp.start()
  const peers: readonly ActorPeer[] = [
    spimplPeer(SPIMPL, false),
    spimplPeer(RECORDING, true),
    ...[await nactPeer(), await comedyPeer()].filter(peer => peer !== undefined),
    ...(await xstatePeers()),
    eventEmitterPeer(),
    microtaskPeer(),
  ]
  const rows: BenchRow[] = []
  for (const subject of Object.keys(subjects) as Subject[]) {
    const operations = options.quick ? OPERATIONS[subject] / 10 : OPERATIONS[subject]
    const contenders: Contender[] = peers.flatMap(({ name, works: { [subject]: work } }) =>
      work === undefined ? [] : [{ ...work, peer: name, operations: wholeShare(operations, work.share ?? 1) }],
    )
    if (otp !== undefined) {
      contenders.push({ peer: OTP, operations, run: () => {}, measure: () => otp.figure(subject, operations) })
    }
    rows.push(...(await sideBySide(subjects[subject], contenders, runs)))
  }
  for (const peer of peers) {
    if (peer.idle === undefined) continue
    const count = options.quick ? peer.idle.count / 10 : peer.idle.count
    rows.push(rowOf(MEMORY, peer.name, 'memory', 'B/actor', await bytesEach(peer.idle, count, Math.min(runs, 3))))
  }
  if (otp !== undefined) {
    const bytes: number[] = []
    for (let run = 0; run < Math.min(runs, 3); run++) bytes.push(await otp.figure('idle', 100_000))
    rows.push(rowOf(MEMORY, OTP, 'memory', 'B/actor', bytes))
  }
  otp?.close()
  return { rows, ratios: ratios(rows), notes: notes(peers, otp) }
}

/** The senders of the fan-in send whole messages, all as many. */
function wholeShare(operations: number, share: number): number {
  return Math.max(Math.round((operations * share) / 1_000), 1) * 1_000
}

/** Bytes of the heap for one actor that has started and waits. */
async function bytesEach(idle: NonNullable<ActorPeer['idle']>, count: number, runs: number): Promise<number[]> {
  const bytes: number[] = []
  // The first compiles and grows tables that stay: not counted.
  for (let run = -1; run < runs; run++) {
    const before = await usedBytes()
    await idle.hold(count)
    if (run >= 0) bytes.push(((await usedBytes()) - before) / count)
    await idle.release()
  }
  return bytes
}

async function usedBytes(): Promise<number> {
  // What was stopped last turn lets go of its memory in this one.
  await new Promise(resolve => setTimeout(resolve, 50))
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function ratios(rows: readonly BenchRow[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [name, subject, slower, faster] of RATIOS) {
    const ratio = ratioOf(rows, subjects[subject], slower, faster)
    if (ratio !== undefined) found[name] = ratio
  }
  found.tracingOnVsOff = round(Math.max(found.tellTracingOnVsOff ?? 0, found.pingPongTracingOnVsOff ?? 0))
  return found
}

function notes(peers: readonly ActorPeer[], otp: Otp | undefined): string[] {
  const names = new Set(peers.map(peer => peer.name))
  return [
    'every figure is for one thread; a message carries its id and the id of its cause; tracingOnVsOff is the larger of tell and ping-pong',
    ...peers.flatMap(peer => peer.notes ?? []),
    ...(names.has('nact') ? [] : [absent('nact')]),
    ...(names.has('comedy') ? [] : [absent('comedy')]),
    ...(names.has('xstate machine') ? [] : [absent('xstate')]),
    otp === undefined ? absent('Erlang') : `Erlang/OTP ${otp.release} with one scheduler (+S 1:1)`,
    ...(globalThis.gc === undefined ? ['without --expose-gc the bytes for an actor are not exact'] : []),
  ]
}
