/** Actors beside their peers: tell, ping-pong, ask, spawn and stop, fan-in, a ring, idle memory, and between lanes. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Subject } from './actor-peers/actor-peer.ts'
import { laneRows } from './actor-peers/lanes.ts'
import { peerGroups, type SoloAnswer, type SoloRequest } from './actor-peers/solo.ts'
import { rowOf } from './measurement.ts'
import { absent, peerVersion } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

interface Task {
  readonly subject: Subject
  readonly operations: number
  readonly unit: string
  /** How many processes each peer has, one after the other: more where chance at their start counts. Default 1. */
  readonly processes?: number
}

const tasks: readonly Task[] = [
  { subject: 'tell', operations: 1_000_000, unit: 'ns/message', processes: 3 },
  { subject: 'pingPong', operations: 1_000_000, unit: 'ns/message' },
  { subject: 'ask', operations: 100_000, unit: 'ns/question' },
  { subject: 'spawnStop', operations: 50_000, unit: 'ns/actor' },
  { subject: 'fanIn', operations: 500_000, unit: 'ns/message' },
  { subject: 'ring', operations: 500_000, unit: 'ns/hop' },
  { subject: 'idle', operations: 100_000, unit: 'B/actor' },
]

/** Runs that are not counted, in which the engine gets to know the code. */
const WARM_UPS = 3

export async function run({ quick, runs = quick ? 1 : 5 }: BenchOptions): Promise<BenchReport> {
  const absentees = new Set<string>()
  const rows: BenchRow[] = []
  for (const task of tasks) {
    const { subject, operations } = task
    // Those that the goals are about are short, and so are measured three times as often.
    const often = subject === 'tell' || subject === 'pingPong' ? runs * 3 : runs
    rows.push(...(await measured({ ...task, operations: quick ? operations / 20 : operations }, often, absentees)))
  }
  rows.push(...(await laneRows(runs, quick)))
  const notes = [...absentees].map(absent)
  for (const name of ['nact', 'xstate', 'comedy']) {
    const version = peerVersion(name)
    if (version !== undefined) notes.push(`${name} ${version}`)
  }
  notes.push(
    'each peer has processes of its own for each subject (spimpl with and without tracing the same); their runs take turns',
  )
  notes.push('xstate and EventEmitter handle a message within send: they have no mailbox to wait in')
  return { rows, ratios: ratiosOf(rows), notes }
}

/** One peer in its process. */
interface Solo {
  readonly peer: string
  readonly child: ChildProcess
  readonly share: number
  readonly figures: number[]
}

/** Starts a process. @returns those of its peers that can do the subject */
async function begin(group: readonly string[], subject: Subject, absentees: Set<string>): Promise<Solo[]> {
  const solo = fileURLToPath(new URL('./actor-peers/solo.js', import.meta.url))
  // Without the parent's options but this one: a larger young generation, say, would favour who queues.
  const child = fork(solo, group, { execArgv: ['--expose-gc'] })
  const answer = await answerOf(child)
  if (answer === undefined || !('abilities' in answer)) return []
  const solos: Solo[] = []
  for (const { peer, subjects, share } of answer.abilities) {
    if (subjects === undefined) absentees.add(peer)
    else if (subjects.includes(subject)) solos.push({ peer, child, share, figures: [] })
  }
  if (solos.length === 0) child.disconnect()
  return solos
}

/** `undefined` when the process ended instead. */
async function answerOf(child: ChildProcess): Promise<SoloAnswer | undefined> {
  const ended = new AbortController()
  const gone = once(child, 'exit', { signal: ended.signal }).then(
    () => undefined,
    () => undefined,
  )
  const answer = once(child, 'message', { signal: ended.signal }).then(
    ([message]) => message as SoloAnswer,
    () => undefined,
  )
  const first = await Promise.race([answer, gone])
  ended.abort()
  return first
}

/** All peers that can, run by run in turn. */
async function measured(task: Task, runs: number, absentees: Set<string>): Promise<BenchRow[]> {
  const { subject, unit, processes = 1 } = task
  const figures = new Map<string, number[]>()
  for (let process = 0; process < processes; process++) {
    for (const solo of await inTurn(task, Math.ceil(runs / processes), absentees)) {
      figures.set(solo.peer, [...(figures.get(solo.peer) ?? []), ...solo.figures])
    }
  }
  const metric = subject === 'idle' ? 'memory' : 'time'
  return [...figures]
    .filter(([, measured]) => measured.length > 0)
    .map(([peer, measured]) => rowOf(subject, peer, metric, unit, measured))
}

/** One process for each group of peers. */
async function inTurn({ subject, operations }: Task, runs: number, absentees: Set<string>): Promise<Solo[]> {
  const solos: Solo[] = []
  for (const group of peerGroups) solos.push(...(await begin(group, subject, absentees)))
  // The memory of an idle actor is the same with tracing.
  const measured = solos.filter(({ peer }) => subject !== 'idle' || peer !== 'spimpl, tracing')
  for (let run = -WARM_UPS; run < runs; run++) {
    for (const { peer, child, share, figures } of isReversed(run + WARM_UPS) ? measured.toReversed() : measured) {
      if (!child.connected) continue
      // A thousand senders need a thousand messages each way, whatever the share.
      const mine = Math.max(Math.round((operations * share) / 2_000) * 2_000, 2_000)
      const request: SoloRequest = { peer, subject, operations: mine }
      child.send(request)
      const answer = await answerOf(child)
      if (run >= 0 && answer !== undefined && 'figure' in answer) figures.push(answer.figure)
    }
  }
  for (const { child } of solos) if (child.connected) child.disconnect()
  return measured
}

/**
 * The order of the peers follows the sequence of Thue and Morse, which has no period: in a process with two peers a full collection comes
 * every fourth run, say, and would else always be the same one's (of `tell`, tracing's: 1.55 times, where it is 1.2).
 */
function isReversed(round: number): boolean {
  let odd = false
  for (let bits = round; bits > 0; bits &= bits - 1) odd = !odd
  return odd
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
