import { Worker } from 'node:worker_threads'
import { type Behavior, behavior } from '../actors/actor.ts'
import { type ActorCell, cellOf } from '../actors/actor-cell.ts'
import type { Addressed } from '../actors/address.ts'
import { failAsks } from '../actors/ask.ts'
import { anyMessage, type Handlers, type Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { Executor } from '../executors/executor.ts'
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

/** The name of a lane in `inspect` and the size of its way to this thread. */
export interface LaneOptions {
  readonly name?: string
  /** Bytes of the shared ring of each direction, a power of two. Default 1 MiB. */
  readonly ringBytes?: number
}

/** A behaviour that another thread can make: an export of a module, a behaviour or a function of `input` that returns one. */
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

/** What a worker needs to begin. */
export interface LaneStart {
  readonly lane: number
  readonly name: string
  readonly toLane: SharedArrayBuffer
  readonly toMain: SharedArrayBuffer
  /** They wake the lane, and the thread that made it. */
  readonly laneBell: SharedArrayBuffer
  readonly mainBell: SharedArrayBuffer
  /** That of the main lane; a simulation has no threads, so its lanes are on the event loop. */
  readonly executor: Executor['name']
  readonly measured: boolean
  /** What the recorder of the main lane was when the thread began; absent where there is none. */
  readonly recorder?: { readonly capacity: number; readonly enabled: boolean }
}

/** What a lane may be asked to show. */
export type LaneView = 'actors' | 'records'

/**
 * A worker thread with its own event loop and root queue, on which actors live. The main lane has a stand-in for each of
 * them, so they are supervised, watched and stopped like any other; a lane that dies is a failure of each (`LANE_DIED`), and
 * the first that restarts starts it anew.
 */
export class Lane implements AsyncDisposable {
  readonly name: string
  /** The number of its thread. One that dies takes its number with it, so that nothing sent to it reaches the next. */
  id: number
  readonly #hub: LaneHub
  readonly #ringBytes: number
  readonly #onClosed: () => void
  readonly #ignoreEnds: () => void
  readonly #standIns = new Map<number, StandIn>()
  /** The stand-ins of its actors, and what is to happen when they have come to their end. */
  readonly #residents = new Map<ActorCell, (() => void)[]>()
  readonly #questions = new Map<number, { resolve(answer: unknown): void; reject(error: SpimplError): void }>()
  #questionIds = 0
  #worker: Worker | undefined
  #link: LaneLink | undefined
  #failure: unknown
  #closing = false
  #closed: Promise<void> | undefined
  #pinned: ((refusal: string | undefined) => void)[] = []

  /** @internal `system.lane()` makes it. */
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

  /** Actors on it. */
  get size(): number {
    return this.#standIns.size
  }

  /** A behaviour that does its work on this lane: `system.spawn(lane.behavior(worker), { name })`, or `context.spawn`. */
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

  /** @internal Settles when the present life of an actor has run its `setup` on the lane, or has ended. */
  up(cell: ActorCell): Promise<void> {
    for (const [id, standIn] of this.#standIns) {
      if (standIn.cell !== cell || standIn.left || this.#link === undefined) continue
      standIn.marked()
      this.#link.send(this.id, MARK, id, 0, 0, undefined)
      return standIn.up
    }
    return Promise.resolve()
  }

  /**
   * Keeps the thread on one processor.
   * @throws SpimplError `EXECUTOR_UNAVAILABLE` where node-dispatch-addon is absent or the system refuses
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
   * The actors of its thread as data, with their children, mailboxes and, where the system is measured, histograms.
   * `system.inspect()` shows what stands in for them here.
   * @throws SpimplError `LANE_DIED`
   */
  inspect(): Promise<Inspection> {
    return this.#look('actors')
  }

  /**
   * What its recorder keeps, the oldest first; nothing where the system has none. Paths are those of `inspect()`.
   * @throws SpimplError `LANE_DIED`
   */
  records(): Promise<readonly TraceRecord[]> {
    return this.#look('records')
  }

  /**
   * Stops its actors, the youngest first, each behind the messages that wait for it; then ends the thread. One that is spawned on it
   * later comes to its end at once.
   */
  close(): Promise<void> {
    this.#closed ??= this.#drainAndEnd()
    return this.#closed
  }

  /** Ends the thread at once, whatever it does. Its actors fail with `LANE_DIED`. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #drainAndEnd(): Promise<void> {
    // Who was spawned in this turn has not reached the lane yet.
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
    return new SpimplError('LANE_DIED', `expected ${this.name} to live, it has ended`)
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
      // One that was late has another life by now, whose stand-in is another.
      if (!standIn.left && !this.#closing && standIn.cell.lifecycle.takesChildren) {
        standIn.cell.lifecycle.fail(
          new SpimplError('LANE_DIED', `${this.name}, the lane of ${standIn.cell.path}, died`, { cause }),
        )
      }
    }
    // It was about to end: there is no next life on it for those that had not stopped.
    if (this.#closing) for (const cell of [...this.#residents.keys()].reverse()) this.#refuse(cell, cause)
  }

  /** While it closes, its actors may still restart, to handle what waits for them. */
  #takes(cell: ActorCell): boolean {
    return !this.#closing || (this.#worker !== undefined && this.#residents.has(cell))
  }

  /** Ends one that this lane cannot have; a failure would be followed by another life, which it cannot have either. */
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
    standIn.left = true
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
      // The mistake is the sender's: no reason to end this life of the actor.
      this.#hub.host.report(cell, 'could not be told', error)
      failAsks(message, error as SpimplError)
      cell.deadLetter('not-cloneable', message, messageId)
      return undefined
    }
    if (standIn.sent()) link.send(this.id, MARK, id, 0, 0, undefined)
    if (standIn.behind) return Promise.all([link.drained(), standIn.caughtUp()]).then(() => undefined)
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
    const { cell, left } = standIn
    if (reason.type === 'failed') {
      // Of one that stops, or has another life by now, it is only reported.
      if (left) this.#hub.host.report(cell, 'failed while it stopped', reason.error)
      else cell.lifecycle.fail(reason.error)
    } else if (!left && cell.lifecycle.takesChildren) cell.lifecycle.requestStop('self')
  }
}
