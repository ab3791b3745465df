import type { Message } from '../actors/actor.ts'
import type { ActorCell } from '../actors/actor-cell.ts'
import { SpimplError } from '../errors.ts'
import type { StopReason, Terminated, WatchMessage } from '../supervising/actor-lifecycle.ts'
import type { LaneHub } from './lane-hub.ts'
import { TERMINATED, UNWATCH, WATCH } from './lane-kinds.ts'
import type { RemoteRef } from './remote-ref.ts'

/** Somebody of this lane watches an actor of another. */
interface Watch {
  readonly watcher: ActorCell
  readonly lane: number
  readonly actor: number
  readonly path: string
  readonly message: WatchMessage<Message>
}

/** Who is to be told, by its lane and the number of its watch there. */
export interface Watcher {
  readonly lane: number
  readonly watch: number
}

/**
 * Death watch from lane to lane. It keeps what it promises on one: exactly one notice, behind the last message, also of an
 * actor that is gone already; a lane that dies ends all its actors.
 */
export class DeathWatches {
  private readonly hub: LaneHub
  private readonly watches = new Map<number, Watch>()
  /** The numbers of an actor's watches, by `lane/actor`. */
  private readonly byWatcher = new Map<ActorCell, Map<string, number>>()
  /** Whom to tell of the end of an actor of this lane, by `lane/watch`. */
  private readonly duties = new Map<ActorCell, Map<string, Watcher>>()
  private watchIds = 0

  constructor(hub: LaneHub) {
    this.hub = hub
  }

  /** Watches and duties. */
  get size(): number {
    return this.watches.size + this.duties.size
  }

  watch(watcher: ActorCell, ref: RemoteRef<Message>, message: WatchMessage<Message>): void {
    this.unwatch(watcher, ref)
    const id = ++this.watchIds
    this.watches.set(id, { watcher, lane: ref.lane, actor: ref.id, path: ref.path, message })
    const own = this.byWatcher.get(watcher) ?? new Map<string, number>()
    this.byWatcher.set(watcher, own.set(`${ref.lane}/${ref.id}`, id))
    const duty: Watcher = { lane: this.hub.lane, watch: id }
    if (!this.hub.order(ref.lane, WATCH, ref.id, duty)) this.end(id, lost(ref.path, ref.lane === this.hub.lane))
  }

  unwatch(watcher: ActorCell, ref: RemoteRef<Message>): void {
    const id = this.byWatcher.get(watcher)?.get(`${ref.lane}/${ref.id}`)
    if (id !== undefined) this.drop(id)
  }

  /** The watcher has come to the end of a life. */
  forgetWatcher(watcher: ActorCell): void {
    for (const id of this.byWatcher.get(watcher)?.values() ?? []) this.drop(id)
  }

  /** Takes a message of a watch. @param cell the actor `id` of this lane, if it lives */
  receive(kind: number, id: number, payload: unknown, cell: ActorCell | undefined): void {
    if (kind === WATCH) this.takeOn(cell, id, payload as Watcher)
    else if (kind === UNWATCH && cell !== undefined) this.release(cell, payload as Watcher)
    else if (kind === TERMINATED) this.end(id, payload as Terminated)
  }

  /** An actor of this lane has come to its end. */
  ended(cell: ActorCell, reason: StopReason): void {
    const own = this.duties.get(cell)
    if (own === undefined) return
    this.duties.delete(cell)
    const notice: Terminated = { path: cell.path, reason: this.hub.crossingReason(reason) }
    for (const { lane, watch } of own.values()) this.hub.order(lane, TERMINATED, watch, notice)
  }

  laneGone(lane: number): void {
    for (const [id, watch] of this.watches) if (watch.lane === lane) this.end(id, lost(watch.path, false))
    for (const [cell, own] of this.duties) {
      for (const watcher of own.values()) if (watcher.lane === lane) this.release(cell, watcher)
    }
  }

  /** The lane of the watched actor has ended before the watch arrived. */
  refuse({ lane, watch }: Watcher): void {
    this.hub.order(lane, TERMINATED, watch, lost('', false))
  }

  private takeOn(cell: ActorCell | undefined, id: number, watcher: Watcher): void {
    const { lane, watch } = watcher
    if (cell === undefined) {
      this.hub.order(lane, TERMINATED, watch, lost(`lane ${this.hub.lane}, actor ${id}`, true))
      return
    }
    const own = this.duties.get(cell) ?? new Map<string, Watcher>()
    this.duties.set(cell, own.set(`${lane}/${watch}`, watcher))
  }

  private release(cell: ActorCell, { lane, watch }: Watcher): void {
    const own = this.duties.get(cell)
    own?.delete(`${lane}/${watch}`)
    if (own?.size === 0) this.duties.delete(cell)
  }

  private drop(id: number): void {
    const { lane, actor } = this.take(id)!
    const duty: Watcher = { lane: this.hub.lane, watch: id }
    this.hub.order(lane, UNWATCH, actor, duty)
  }

  private end(id: number, notice: Terminated): void {
    const watch = this.take(id)
    if (watch === undefined) return
    // It is told under the path by which it knows the actor.
    watch.watcher.lifecycle.notify(watch.message, { ...notice, path: watch.path })
  }

  private take(id: number): Watch | undefined {
    const watch = this.watches.get(id)
    if (watch === undefined) return undefined
    this.watches.delete(id)
    const own = this.byWatcher.get(watch.watcher)
    own?.delete(`${watch.lane}/${watch.actor}`)
    if (own?.size === 0) this.byWatcher.delete(watch.watcher)
    return watch
  }
}

function lost(path: string, stopped: boolean): Terminated {
  if (stopped) return { path, reason: { type: 'stopped' } }
  return { path, reason: { type: 'failed', error: new SpimplError('LANE_DIED', `the lane of ${path} has ended`) } }
}
