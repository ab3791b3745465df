import type { Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { ActorAddress, Addressed } from '../references/address.ts'
import type { Watcher, WatchKeeper } from '../supervising/death-watch.ts'
import type { StopReason, Terminated, WatchMessage } from '../supervising/termination.ts'
import { TERMINATED, UNWATCH, WATCH } from './lane-kinds.ts'

/** An actor of this lane watches an actor of another. */
interface Watch {
  readonly watcher: Watcher
  readonly actor: ActorAddress
  readonly message: WatchMessage<Message>
}

/** A watcher on another lane: its lane, and the number of its watch there. */
export interface RemoteWatcher {
  readonly lane: number
  readonly watch: number
}

/** The way from this lane to the others, as watches use it. */
export interface WatchRoute {
  /** The number of this lane. */
  readonly lane: number
  /** Sends an order. @returns false if no link leads to that lane */
  order(lane: number, kind: number, id: number, payload: unknown): boolean
  /** The reason in a form that can cross. */
  crossingReason(reason: StopReason): StopReason
}

/**
 * Death watch from lane to lane. It keeps the promise of the local one: exactly one notice, behind the last message,
 * also for an actor that has ended already; a lane that dies ends all its actors.
 */
export class DeathWatches implements WatchKeeper {
  readonly #route: WatchRoute
  /** Watches of this lane's actors, by number. */
  readonly #watches = new Map<number, Watch>()
  /** The numbers of a watcher's watches, by the watched actor (`lane/actor`). */
  readonly #byWatcher = new Map<Watcher, Map<string, number>>()
  /** The watchers of an actor of this lane on other lanes, by `lane/watch`. */
  readonly #remoteWatchers = new Map<Addressed, Map<string, RemoteWatcher>>()
  #lastWatch = 0

  constructor(route: WatchRoute) {
    this.#route = route
  }

  /** Watches of this lane's actors, and actors of this lane that other lanes watch. */
  get size(): number {
    return this.#watches.size + this.#remoteWatchers.size
  }

  watch(watcher: Watcher, actor: ActorAddress, message: WatchMessage<Message>): void {
    this.unwatch(watcher, actor)
    const id = ++this.#lastWatch
    this.#watches.set(id, { watcher, actor, message })
    const own = this.#byWatcher.get(watcher) ?? new Map<string, number>()
    this.#byWatcher.set(watcher, own.set(keyOf(actor), id))
    watcher.watches(this)
    const isOnItsWay = this.#route.order(actor.lane, WATCH, actor.id, this.#remoteWatcher(id))
    if (!isOnItsWay) this.#end(id, lost(actor.path, actor.lane === this.#route.lane))
  }

  unwatch(watcher: Watcher, actor: ActorAddress): void {
    const id = this.#byWatcher.get(watcher)?.get(keyOf(actor))
    if (id !== undefined) this.#drop(id)
  }

  removeWatcher(watcher: Watcher): void {
    for (const id of this.#byWatcher.get(watcher)?.values() ?? []) this.#drop(id)
    watcher.watchesNoMore(this)
  }

  /** Takes an order of another lane. @param actor the actor `id` of this lane, if it lives */
  receive(kind: number, id: number, payload: unknown, actor: Addressed | undefined): void {
    if (kind === WATCH) this.#addRemoteWatcher(actor, id, payload as RemoteWatcher)
    else if (kind === UNWATCH && actor !== undefined) this.#removeRemoteWatcher(actor, payload as RemoteWatcher)
    else if (kind === TERMINATED) this.#end(id, payload as Terminated)
  }

  /** An actor of this lane has ended. */
  ended(actor: Addressed, reason: StopReason): void {
    const watchers = this.#remoteWatchers.get(actor)
    if (watchers === undefined) return
    this.#remoteWatchers.delete(actor)
    const notice: Terminated = { path: actor.path, reason: this.#route.crossingReason(reason) }
    for (const { lane, watch } of watchers.values()) this.#route.order(lane, TERMINATED, watch, notice)
  }

  laneGone(lane: number): void {
    for (const [id, { actor }] of this.#watches) if (actor.lane === lane) this.#end(id, lost(actor.path, false))
    for (const [actor, watchers] of this.#remoteWatchers) {
      for (const watcher of watchers.values()) if (watcher.lane === lane) this.#removeRemoteWatcher(actor, watcher)
    }
  }

  /** The lane of the watched actor has ended before the watch arrived. */
  refuse({ lane, watch }: RemoteWatcher): void {
    this.#route.order(lane, TERMINATED, watch, lost('', false))
  }

  #remoteWatcher(id: number): RemoteWatcher {
    return { lane: this.#route.lane, watch: id }
  }

  #addRemoteWatcher(actor: Addressed | undefined, id: number, watcher: RemoteWatcher): void {
    const { lane, watch } = watcher
    if (actor === undefined) {
      this.#route.order(lane, TERMINATED, watch, lost(`lane ${this.#route.lane}, actor ${id}`, true))
      return
    }
    const watchers = this.#remoteWatchers.get(actor) ?? new Map<string, RemoteWatcher>()
    this.#remoteWatchers.set(actor, watchers.set(`${lane}/${watch}`, watcher))
  }

  #removeRemoteWatcher(actor: Addressed, { lane, watch }: RemoteWatcher): void {
    const watchers = this.#remoteWatchers.get(actor)
    watchers?.delete(`${lane}/${watch}`)
    if (watchers?.size === 0) this.#remoteWatchers.delete(actor)
  }

  #drop(id: number): void {
    const { actor } = this.#take(id)!
    this.#route.order(actor.lane, UNWATCH, actor.id, this.#remoteWatcher(id))
  }

  #end(id: number, notice: Terminated): void {
    const watch = this.#take(id)
    if (watch === undefined) return
    // The watcher knows the actor by the path of its reference.
    watch.watcher.notify(watch.message, { ...notice, path: watch.actor.path })
  }

  #take(id: number): Watch | undefined {
    const watch = this.#watches.get(id)
    if (watch === undefined) return undefined
    const { watcher, actor } = watch
    this.#watches.delete(id)
    const own = this.#byWatcher.get(watcher)
    own?.delete(keyOf(actor))
    if (own?.size === 0) this.#byWatcher.delete(watcher)
    return watch
  }
}

const keyOf = ({ lane, id }: ActorAddress): string => `${lane}/${id}`

function lost(path: string, hasStopped: boolean): Terminated {
  if (hasStopped) return { path, reason: { type: 'stopped' } }
  return { path, reason: { type: 'failed', error: new SpimplError('LANE_DIED', `the lane of ${path} has ended`) } }
}
