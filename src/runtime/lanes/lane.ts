import { Worker } from 'node:worker_threads'
import { type Behavior, behavior } from '../actors/actor.ts'
import { type ActorCell, cellOf } from '../actors/actor-cell.ts'
import { anyMessage, type Handlers, type Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { Executor } from '../executors/executor.ts'
import type { Addressed } from '../references/address.ts'
import { failAsks } from '../references/ask.ts'
import type { StopReason } from '../supervising/termination.ts'
import type { Inspection } from '../watching/inspection.ts'
import type { TraceRecord } from '../watching/recorder.ts'
import { Doorbell } from './doorbell.ts'
import type { Receive } from './lane-batch.ts'
import type { LaneHub } from './lane-hub.ts'
import { ENDED, FORGET, LOOK, MARK, MARKED, PIN, PINNED, SEEN, SPAWN, STOP, TELL_STAND_IN } from './lane-kinds.ts'
import { LaneLink } from './lane-link.ts'
import { laneWatch } from './lane-watch.ts'
import { SharedRing } from './shared-ring.ts'
import { StandIn } from './stand-in.ts'

/** The name of a lane, and the size of its rings. */
export interface LaneOptions {
  readonly name?: string
  /** The size of the shared ring of each direction in bytes, a power of two. Default 1 MiB. */
  readonly ringBytes?: number
}

/**
 * A behaviour that another thread can make: an export of a module, a behaviour or a function of `input` that returns
 * one.
 */
export interface LaneBehavior<M extends Message> {
  /** URL of the module. */
  readonly module: string | URL
  /** Name of the export. */
  readonly name: string
  /** Plain data for the function. */
  readonly input?: unknown
  /** Only for the compiler. */
  readonly messages?: M
}

/** The data with which a worker begins. */
export interface LaneStart {
  readonly lane: number
  readonly name: string
  readonly toLane: SharedArrayBuffer
  readonly toMain: SharedArrayBuffer
  /** The doorbells of the lane, and of the thread that made it. */
  readonly laneBell: SharedArrayBuffer
  readonly mainBell: SharedArrayBuffer
  /** The executor of the main lane; a simulation has no threads, so its lanes run on the event loop. */
  readonly executor: Executor['name']
  readonly measured: boolean
  /** The recorder of the main lane as it was when the thread began; absent if there is none. */
  readonly recorder?: { readonly capacity: number; readonly enabled: boolean }
}

/** The views of a lane. */
export type LaneView = 'actors' | 'records'

/**
 * A worker thread with its own event loop and root queue, on which actors live. The main lane has a stand-in for each
 * of them, so they are supervised, watched and stopped like all others. The death of a lane is a failure of each of its
 * actors (`LANE_DIED`); the first actor that restarts starts the lane again.
 */
export class Lane implements AsyncDisposable {
  readonly name: string
  /** The number of its thread. A new thread has a new number, so that nothing sent to a dead thread reaches it. */
  id: number
  readonly #hub: LaneHub
  readonly #ringBytes: number
  readonly #onClosed: () => void
  readonly #ignoreEnds: () => void
  readonly #standIns = new Map<number, StandIn>()
  /** The stand-ins of its actors, with the functions to call when they have ended. */
  readonly #residents = new Map<ActorCell, (() => void)[]>()
  readonly #questions = new Map<number, { resolve(answer: unknown): void; reject(error: SpimplError): void }>()
  #questionIds = 0
  #worker: Worker | undefined
  #link: LaneLink | undefined
  #failure: unknown
  #closing = false
  #closed: Promise<void> | undefined
  #pinned: ((refusal: string | undefined) => void)[] = []

  /** @internal Made by `system.lane()`. */
  constructor(hub: LaneHub, { name, ringBytes = 1 << 20 }: LaneOptions, onClosed: () => void) {
    this.#hub = hub
    this.id = hub.nextLane()
    this.name = name ?? `lane-${this.id}`
    this.#ringBytes = ringBytes
    this.#onClosed = onClosed
    this.#ignoreEnds = hub.onActorEnded(this.#onActorEnded)
    this.#start()
  }

  get alive(): boolean {
    return this.#worker !== undefined
  }

  /** How many actors live on it. */
  get size(): number {
    return this.#standIns.size
  }

  /**
   * A behaviour that does its work on this lane: `system.spawn(lane.behavior(worker), { name })`, or `context.spawn`.
   */
  behavior<M extends Message>(remote: LaneBehavior<M>): Behavior<M> {
    return behavior<M>(context => {
      const cell = cellOf(context.self)
      if (!this.#takes(cell)) {
        this.#refuse(cell)
        return {} as Handlers<M>
      }
      const id = this.#begin(cell, remote as LaneBehavior<Message>)
      context.onStop(() => this.#end(id))
      const forward = (message: M) => this.#forward(cell, id, message)
      return { [anyMessage]: forward } as unknown as Handlers<M>
    })
  }

  /** @internal Settles when the current life of an actor has run its `setup` on the lane, or has ended. */
  up(cell: ActorCell): Promise<void> {
    for (const [id, standIn] of this.#standIns) {
      if (standIn.cell !== cell || standIn.hasLeft || this.#link === undefined) continue
      standIn.marked()
      this.#link.send(this.id, MARK, id, 0, 0, undefined)
      return standIn.up
    }
    return Promise.resolve()
  }

  /**
   * Keeps the thread on one processor.
   * @throws SpimplError `EXECUTOR_UNAVAILABLE` if node-dispatch-addon is absent or the operating system refuses
   */
  async pin(cpu: number): Promise<void> {
    const link = this.#link
    if (link === undefined) throw this.#ended()
    const refusal = await new Promise<string | undefined>(resolve => {
      this.#pinned.push(resolve)
      link.send(this.id, PIN, cpu, 0, 0, undefined)
    })
    if (refusal !== undefined) throw new SpimplError('EXECUTOR_UNAVAILABLE', `expected to pin ${this.name}: ${refusal}`)
  }

  /**
   * The actors of its thread as data, with their children, mailboxes and, if the system is measured, histograms.
   * `system.inspect()` shows their stand-ins on the main lane.
   * @throws SpimplError `LANE_DIED`
   */
  inspect(): Promise<Inspection> {
    return this.#look('actors')
  }

  /**
   * The records of its thread, the oldest first; none if the system has no recorder. Paths are those of `inspect()`.
   * @throws SpimplError `LANE_DIED`
   */
  records(): Promise<readonly TraceRecord[]> {
    return this.#look('records')
  }

  /**
   * Stops its actors, the youngest first, each behind its waiting messages; then ends the thread. An actor that is
   * spawned on it later ends at once.
   */
  close(): Promise<void> {
    this.#closed ??= this.#drainAndEnd()
    return this.#closed
  }

  /** Ends the thread at once. Its actors fail with `LANE_DIED`. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #drainAndEnd(): Promise<void> {
    // An actor that was spawned in this turn has not reached the lane yet.
    await new Promise(resolve => setImmediate(resolve))
    this.#closing = true
    for (const cell of [...this.#residents.keys()].reverse()) {
      cell.deliverStop()
      await this.#gone(cell)
    }
    await this.terminate()
    this.#ignoreEnds()
    this.#onClosed()
  }

  #gone(cell: ActorCell): Promise<void> {
    const waiting = this.#residents.get(cell)
    return waiting === undefined ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))
  }

  readonly #onActorEnded = (actor: Addressed): void => {
    const residents: Map<Addressed, (() => void)[]> = this.#residents
    const waiting = residents.get(actor)
    if (waiting === undefined) return
    residents.delete(actor)
    this.#link?.send(this.id, FORGET, actor.id, 0, 0, undefined)
    for (const resolve of waiting) resolve()
  }

  async #look<T>(what: LaneView): Promise<T> {
    const link = this.#link
    if (link === undefined) throw this.#ended()
    const id = ++this.#questionIds
    return await new Promise<T>((resolve, reject) => {
      this.#questions.set(id, { resolve: answer => resolve(answer as T), reject })
      link.send(this.id, LOOK, id, 0, 0, what)
    })
  }

  #ended(): SpimplError {
    return new SpimplError('LANE_DIED', `expected the lane ${this.name} to be alive, it has ended`)
  }

  #start(): void {
    const toLane = SharedRing.allocate(this.#ringBytes)
    const toMain = SharedRing.allocate(this.#ringBytes)
    const { recorder, isMeasured: measured, root } = this.#hub.host
    const bell = new Doorbell()
    const start: LaneStart = {
      lane: this.id,
      name: this.name,
      toLane: toLane.buffer,
      toMain: toMain.buffer,
      laneBell: bell.buffer,
      mainBell: laneWatch.bell.buffer,
      executor: root.executor.name,
      measured,
      ...(recorder === undefined ? {} : { recorder: { capacity: recorder.capacity, enabled: recorder.enabled } }),
    }
    const worker = new Worker(new URL('./lane-worker.js', import.meta.url), { workerData: start, name: this.name })
    const ends = { incoming: toMain, outgoing: toLane, bell, port: worker, watch: laneWatch, root }
    const link = new LaneLink(ends, this.#onMessage, this.#hub.lost)
    this.#worker = worker
    this.#link = link
    this.#failure = undefined
    this.#hub.connect(this.id, link)
    worker.on('error', error => {
      this.#failure = error
    })
    worker.on('exit', code => this.#onExit(worker, code))
  }

  #onExit(worker: Worker, code: number): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#link?.close()
    this.#link = undefined
    for (const question of this.#questions.values()) question.reject(this.#ended())
    this.#questions.clear()
    const cause = this.#failure ?? new Error(`the thread ended with code ${code}`)
    this.#hub.laneGone(this.id, cause)
    for (const pinned of this.#pinned.splice(0)) pinned('the lane has ended')
    for (const [id, standIn] of [...this.#standIns]) {
      this.#standIns.delete(id)
      standIn.end()
      // A stand-in that has left has another life by now, with another stand-in.
      if (!standIn.hasLeft && !this.#closing && standIn.cell.lifecycle.takesChildren) {
        standIn.cell.lifecycle.fail(
          new SpimplError('LANE_DIED', `${this.name}, the lane of ${standIn.cell.path}, has died`, { cause }),
        )
      }
    }
    // The lane was closing: actors that had not stopped get no next life on it.
    if (this.#closing) for (const cell of [...this.#residents.keys()].reverse()) this.#refuse(cell, cause)
  }

  /** While the lane closes, its actors may still restart, to handle their waiting messages. */
  #takes(cell: ActorCell): boolean {
    return !this.#closing || (this.#worker !== undefined && this.#residents.has(cell))
  }

  /**
   * Ends an actor that this lane cannot take; a failure would be followed by another life, which it cannot take either.
   */
  #refuse(cell: ActorCell, cause?: unknown): void {
    const error = new SpimplError('LANE_DIED', `expected an open lane for ${cell.path}, ${this.name} is closed`, {
      cause,
    })
    if (!cell.lifecycle.isEnding) this.#hub.host.report(cell, 'failed', error)
    cell.lifecycle.requestStop('parent', { type: 'failed', error })
  }

  #begin(cell: ActorCell, { module, name, input }: LaneBehavior<Message>): number {
    if (this.#worker === undefined) {
      this.id = this.#hub.nextLane()
      this.#start()
    }
    const id = this.#hub.host.nextActorId()
    this.#standIns.set(id, new StandIn(cell))
    if (!this.#residents.has(cell)) this.#residents.set(cell, [])
    const address = this.#hub.addressOf(cell)
    const payload = { module: String(module), name, input, address: { ...address } }
    this.#hub.send(this.#link!, this.id, SPAWN, id, 0, 0, payload)
    return id
  }

  #end(id: number): Promise<void> | undefined {
    const standIn = this.#standIns.get(id)
    if (standIn === undefined || this.#link === undefined) return undefined
    standIn.leave()
    this.#link.send(this.id, STOP, id, 0, 0, undefined)
    return standIn.ended
  }

  #forward(cell: ActorCell, id: number, message: Message): Promise<void> | undefined {
    const link = this.#link
    const standIn = this.#standIns.get(id)
    const { messageId, causeId } = cell.mailbox
    if (link === undefined || standIn === undefined) {
      cell.deadLetter('lane-died', message, messageId)
      return undefined
    }
    try {
      this.#hub.send(link, this.id, TELL_STAND_IN, id, messageId, causeId, message)
    } catch (error) {
      // The mistake is the sender's, so this life of the actor goes on.
      this.#hub.host.report(cell, 'could not be told', error)
      failAsks(message, error as SpimplError)
      cell.deadLetter('not-cloneable', message, messageId)
      return undefined
    }
    if (standIn.sent()) link.send(this.id, MARK, id, 0, 0, undefined)
    if (standIn.isBehind) return Promise.all([link.drained(), standIn.caughtUp()]).then(() => undefined)
    return link.congested ? link.drained() : undefined
  }

  readonly #onMessage: Receive = (lane, kind, id, messageId, causeId, payload, textual) => {
    if (kind === ENDED) this.#onEnded(id, this.#hub.codec.decode(payload) as StopReason)
    else if (kind === MARKED) this.#standIns.get(id)?.passed()
    else if (kind === SEEN) this.#onSeen(id, payload)
    else if (kind === PINNED) this.#pinned.shift()?.(payload as string | undefined)
    else this.#hub.receive(lane, kind, id, messageId, causeId, payload, textual)
  }

  #onSeen(id: number, answer: unknown): void {
    this.#questions.get(id)?.resolve(answer)
    this.#questions.delete(id)
  }

  #onEnded(id: number, reason: StopReason): void {
    const standIn = this.#standIns.get(id)
    if (standIn === undefined) return
    this.#standIns.delete(id)
    standIn.end()
    const { cell, hasLeft } = standIn
    if (reason.type === 'failed') {
      // A failure of an actor that is stopping, or has another life by now, is only reported.
      if (hasLeft) this.#hub.host.report(cell, 'failed while it stopped', reason.error)
      else cell.lifecycle.fail(reason.error)
    } else if (!hasLeft && cell.lifecycle.takesChildren) cell.lifecycle.requestStop('self')
  }
}
