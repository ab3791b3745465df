/** The thread of a lane: a system whose top actors have a stand-in each on the main lane. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ActorCell, cellOf } from '../actors/actor-cell.ts'
import type { WaitingMessage } from '../actors/mailbox.ts'
import type { Message } from '../actors/message.ts'
import { SystemMessage } from '../actors/system-message.ts'
import type { Executor } from '../executors/executor.ts'
import { errorsToConsole } from '../ports/logger.ts'
import type { ActorAddress, Addressed } from '../references/address.ts'
import { System } from '../system/system.ts'
import type { Inspection } from '../watching/inspection.ts'
import { Recorder } from '../watching/recorder.ts'
import { loadBehavior } from './behavior-loader.ts'
import { Doorbell } from './doorbell.ts'
import type { LaneStart, LaneView } from './lane.ts'
import { LaneHub, MAIN_LANE } from './lane-hub.ts'
import { ENDED, FORGET, LOOK, MARK, MARKED, PIN, PINNED, SEEN, SPAWN, STOP, TELL_STAND_IN } from './lane-kinds.ts'
import { LaneLink } from './lane-link.ts'
import { LaneWatch } from './lane-watch.ts'
import { SharedRing } from './shared-ring.ts'

interface SpawnRequest {
  readonly module: string
  readonly name: string
  readonly input: unknown
  readonly address: ActorAddress
}

/** The messages for an actor whose module is still being loaded. */
interface Loading {
  readonly waiting: WaitingMessage[]
  stopped: boolean
}

/**
 * The waiting messages of a failed actor, and those that have arrived since: its next life takes them, as on the main
 * lane.
 */
interface Leftovers {
  readonly id: number
  readonly path: string
  readonly waiting: WaitingMessage[]
}

/** The part of node-dispatch-addon that pins a thread to a processor. */
interface PinningAddon {
  readonly PinnedThread: { pinHere(options: { readonly name: string; readonly cpu: number }): string }
}

/** With libdispatch, a lane is a root of its own, whose queue has the lane's name. Only then is the addon loaded. */
async function dispatchExecutor(label: string): Promise<{ readonly executor?: Executor }> {
  const { DispatchExecutor } = await import('../executors/dispatch.ts')
  return DispatchExecutor.obstacle() === undefined ? { executor: new DispatchExecutor({ label }) } : {}
}

function recorderOf({ capacity, enabled }: NonNullable<LaneStart['recorder']>): Recorder {
  const recorder = new Recorder({ capacity })
  recorder.enabled = enabled
  return recorder
}

const { lane, name, toLane, toMain, laneBell, mainBell, executor, measured, recorder } = workerData as LaneStart
const port = parentPort!
/** Paths of the actors with a stand-in, which reports their failures on the main lane, where they are supervised. */
const reportedElsewhere = new Set<string>()
const system = new System({
  name,
  laneId: lane,
  measured,
  ...(recorder === undefined ? {} : { recorder: recorderOf(recorder) }),
  ...(executor === 'dispatch' ? await dispatchExecutor(name) : {}),
  log: record => {
    if (record.message !== 'failed' || !reportedElsewhere.has(record.path)) errorsToConsole(record)
  },
})
const hub = new LaneHub(system.host, lane)
const cells = new Map<number, ActorCell>()
const homes = new Map<Addressed, { readonly id: number; readonly address: ActorAddress }>()
const loading = new Map<number, Loading>()
/** By the number of the stand-in, and by the number of the failed actor. */
const leftovers = new Map<number, Leftovers>()
const failed = new Map<number, Leftovers>()

const link = new LaneLink(
  {
    incoming: new SharedRing(toLane),
    outgoing: new SharedRing(toMain),
    bell: new Doorbell(mainBell),
    port: port as never,
    watch: new LaneWatch(new Doorbell(laneBell)),
    root: system.main,
  },
  (to, kind, id, messageId, causeId, payload, textual) => {
    if (hub.receive(to, kind, id, messageId, causeId, payload, textual)) return
    if (kind === TELL_STAND_IN) deliver(id, hub.codec.decode(payload) as Message, messageId, causeId)
    else if (kind === SPAWN) void spawn(id, hub.codec.decode(payload) as SpawnRequest)
    else if (kind === STOP) stop(id)
    else if (kind === MARK) mark(id)
    else if (kind === FORGET) forget(id)
    else if (kind === LOOK) look(id, payload as LaneView)
    else if (kind === PIN) void pin(id)
  },
  hub.lost,
)
hub.connect(MAIN_LANE, link)

system.host.keepUnhandled = (actor, waiting) => {
  const home = homes.get(actor)
  // An actor without a stand-in, a child for example, has no next life here.
  if (home === undefined) return false
  leftoversOf(home.address, home.id).waiting.push(waiting)
  return true
}

system.host.onActorEnded((actor, reason) => {
  const home = homes.get(actor)
  if (home === undefined) return
  const { id, address } = home
  homes.delete(actor)
  cells.delete(id)
  // Also without waiting messages: those that are on their way belong there.
  if (reason.type === 'failed') leftoversOf(address, id)
  reportedElsewhere.delete(actor.path)
  hub.send(link, MAIN_LANE, ENDED, id, 0, 0, hub.crossingReason(reason))
})

function deliver(id: number, message: Message, messageId: number, causeId: number): void {
  const pending = loading.get(id)
  if (pending !== undefined) {
    pending.waiting.push({ message, messageId, causeId })
    return
  }
  const cell = cells.get(id)
  if (cell !== undefined) cell.receive(message, messageId, causeId)
  else if (failed.has(id)) failed.get(id)!.waiting.push({ message, messageId, causeId })
  else hub.undeliverable('stopped', message, `${name}, actor ${id}`, messageId)
}

/** Puts a mark behind the waiting messages of an actor. */
function mark(id: number): void {
  const passed = new SystemMessage(() => link.send(MAIN_LANE, MARKED, id, 0, 0, undefined))
  const pending = loading.get(id)
  if (pending === undefined) cells.get(id)?.deliver(passed, 0)
  else pending.waiting.push({ message: passed, messageId: 0, causeId: 0 })
}

function leftoversOf({ id: standIn, path }: ActorAddress, id: number): Leftovers {
  let left = leftovers.get(standIn)
  if (left === undefined) {
    left = { id, path, waiting: [] }
    leftovers.set(standIn, left)
    failed.set(id, left)
  }
  return left
}

function takeLeftovers(standIn: number): readonly WaitingMessage[] {
  const left = leftovers.get(standIn)
  if (left === undefined) return []
  leftovers.delete(standIn)
  failed.delete(left.id)
  return left.waiting
}

/** No next life comes: the leftovers become dead letters. */
function forget(standIn: number): void {
  const path = leftovers.get(standIn)?.path ?? ''
  for (const { message, messageId } of takeLeftovers(standIn)) hub.undeliverable('stopped', message, path, messageId)
}

function look(id: number, view: LaneView): void {
  const seen = view === 'actors' ? plain(system.inspect()) : [...(system.recorder?.records() ?? [])]
  hub.send(link, MAIN_LANE, SEEN, id, 0, 0, seen)
}

function plain(inspection: Inspection): Inspection {
  const { description, children } = inspection
  return { ...inspection, description: hub.codec.crossing(description), children: children.map(plain) }
}

async function spawn(id: number, request: SpawnRequest): Promise<void> {
  const pending: Loading = { waiting: [...takeLeftovers(request.address.id)], stopped: false }
  loading.set(id, pending)
  try {
    const make = await loadBehavior(request)
    const behavior = make(request.input)
    loading.delete(id)
    // The parent of its stand-in decides about its failures; here it has one life. The mailbox of its stand-in bounds
    // its own.
    const ref = system.spawn(behavior, {
      name: `${request.address.path.slice(1)}#${id}`,
      restart: 'temporary',
      mailbox: { capacity: Number.MAX_SAFE_INTEGER },
    })
    const cell = cellOf(ref)
    cells.set(id, cell)
    homes.set(cell, { id, address: request.address })
    reportedElsewhere.add(cell.path)
    hub.standInFor(cell, request.address)
    for (const { message, messageId, causeId } of pending.waiting) cell.receive(message, messageId, causeId)
    if (pending.stopped) cell.deliverStop()
  } catch (error) {
    loading.delete(id)
    leftoversOf(request.address, id).waiting.push(...pending.waiting)
    const failure = error instanceof Error ? error : new Error(String(error))
    hub.send(link, MAIN_LANE, ENDED, id, 0, 0, { type: 'failed', error: failure })
  }
}

/** Stops an actor behind its waiting messages. */
function stop(id: number): void {
  const pending = loading.get(id)
  if (pending !== undefined) {
    pending.stopped = true
    return
  }
  cells.get(id)?.deliverStop()
}

async function pin(cpu: number): Promise<void> {
  let refusal: string | undefined
  try {
    const addon = 'node-dispatch-addon'
    const { PinnedThread } = (await import(addon)) as PinningAddon
    refusal = PinnedThread.pinHere({ name, cpu }) || undefined
  } catch (error) {
    refusal = error instanceof Error ? error.message : String(error)
  }
  link.send(MAIN_LANE, PINNED, 0, 0, 0, refusal)
}
