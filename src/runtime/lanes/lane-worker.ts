/** The thread of a lane: a system whose top actors are those that have a stand-in on the main lane. */
import { parentPort, workerData } from 'node:worker_threads'
import { SpimplError } from '../../errors.ts'
import type { Behavior, Message } from '../actor.ts'
import type { ActorCell } from '../actor-cell.ts'
import { cellOf } from '../actor-context.ts'
import type { Executor } from '../executors/executor.ts'
import { errorsToConsole } from '../logger.ts'
import { System } from '../system.ts'
import { Doorbell } from './doorbell.ts'
import type { LaneStart } from './lane.ts'
import { type Address, LaneHub, MAIN_LANE } from './lane-hub.ts'
import { ENDED, LaneLink, PIN, PINNED, SPAWN, STOP, TELL_STAND_IN } from './lane-link.ts'
import { LaneWatch } from './lane-watch.ts'
import { SharedRing } from './shared-ring.ts'

interface SpawnRequest {
  readonly module: string
  readonly name: string
  readonly input: unknown
  readonly address: Address
}

/** What came for an actor whose module is still being loaded. */
interface Loading {
  readonly waiting: { readonly message: Message; readonly messageId: number; readonly causeId: number }[]
  stopped: boolean
}

/** The part of node-dispatch-addon that keeps a thread on a processor. */
interface PinningAddon {
  readonly PinnedThread: { pinHere(options: { readonly name: string; readonly cpu: number }): string }
}

/** On libdispatch a lane is a root of its own, whose queue has the lane's name. The addon is loaded only for that. */
async function dispatchExecutor(label: string): Promise<{ readonly executor?: Executor }> {
  const { DispatchExecutor } = await import('../executors/dispatch.ts')
  return DispatchExecutor.obstacle() === undefined ? { executor: new DispatchExecutor({ label }) } : {}
}

const { lane, name, toLane, toMain, laneBell, mainBell, executor } = workerData as LaneStart
const port = parentPort!
/** Paths of those that have a stand-in, which reports their failures where they are supervised. */
const reportedElsewhere = new Set<string>()
const system = new System({
  name,
  laneId: lane,
  ...(executor === 'dispatch' ? await dispatchExecutor(name) : {}),
  log: record => {
    if (record.message !== 'failed' || !reportedElsewhere.has(record.path)) errorsToConsole(record)
  },
})
const hub = new LaneHub(system, lane)
system.hub = hub
const cells = new Map<number, ActorCell>()
const ids = new Map<ActorCell, number>()
const loading = new Map<number, Loading>()

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
    else if (kind === PIN) void pin(id)
  },
)
hub.connect(MAIN_LANE, link)

system.onTopEnded = (cell, reason) => {
  const id = ids.get(cell)
  if (id === undefined) return
  ids.delete(cell)
  cells.delete(id)
  reportedElsewhere.delete(cell.path)
  hub.send(link, MAIN_LANE, ENDED, id, 0, 0, reason)
}

function deliver(id: number, message: Message, messageId: number, causeId: number): void {
  const pending = loading.get(id)
  if (pending !== undefined) {
    pending.waiting.push({ message, messageId, causeId })
    return
  }
  const cell = cells.get(id)
  if (cell === undefined) hub.undelivered('stopped', message, `${name}, actor ${id}`, messageId)
  else cell.receive(message, messageId, causeId)
}

async function spawn(id: number, request: SpawnRequest): Promise<void> {
  const pending: Loading = { waiting: [], stopped: false }
  loading.set(id, pending)
  try {
    const behavior = await load(request)
    loading.delete(id)
    // Its failures are its stand-in's, whose parent decides; here it lives once. Its mailbox is bounded by its stand-in's.
    const ref = system.spawn(behavior, {
      name: `${request.address.path.slice(1)}#${id}`,
      restart: 'temporary',
      mailbox: { capacity: Number.MAX_SAFE_INTEGER },
    })
    const cell = cellOf(ref)
    cells.set(id, cell)
    ids.set(cell, id)
    reportedElsewhere.add(cell.path)
    hub.standIns.set(cell, request.address)
    for (const { message, messageId, causeId } of pending.waiting) cell.receive(message, messageId, causeId)
    if (pending.stopped) cell.deliverStop()
  } catch (error) {
    loading.delete(id)
    const failure = error instanceof Error ? error : new Error(String(error))
    hub.send(link, MAIN_LANE, ENDED, id, 0, 0, { type: 'failed', error: failure })
  }
}

async function load({ module, name: exported, input }: SpawnRequest): Promise<Behavior<Message>> {
  const loaded = (await import(module)) as Record<string, unknown>
  const value = loaded[exported]
  const made = typeof value === 'function' ? (value as (input: unknown) => unknown)(input) : value
  if (typeof made === 'object' && made !== null && 'setup' in made) return made as Behavior<Message>
  throw new SpimplError('ACTOR_FAILED', `expected ${exported} of ${module} to be a behaviour or to return one`)
}

/** Behind the messages that came before. */
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
