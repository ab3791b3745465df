import { received, SpimplError } from '../errors.ts'
import type { Ref } from '../references/actor-ref.ts'
import { type Behavior, type BehaviorOptions, behavior, type SpawnOptions } from './actor.ts'
import { cellOf } from './actor-cell.ts'
import { anyMessage, type Handlers, type Message } from './message.ts'

/** The routees of a router, and how it chooses one for a message. */
export type RouterOptions<M extends Message> = BehaviorOptions & {
  /** How many routees. */
  readonly routees: number
  /** Spawn options of the routees. */
  readonly spawn?: Omit<SpawnOptions, 'name'>
} & (
    | {
        /** The routee that gets a message: each in turn, or the one with the fewest waiting messages. */
        readonly routing: 'round-robin' | 'least-loaded'
        readonly key?: undefined
      }
    | {
        /** The same routee for the same key. */
        readonly routing: 'consistent-hash'
        /** The key of a message. */
        readonly key: (message: M) => string
      }
  )

const ROUTINGS: readonly unknown[] = ['round-robin', 'least-loaded', 'consistent-hash']

/** Points of one routee on the circle of hashes: more points spread the keys more evenly. */
const POINTS = 64

/**
 * An actor in front of several actors of one kind: it passes each message on to one of them and supervises them all. A
 * routee that has ended gets no more messages; when the last one has ended the router stops.
 *
 * @throws SpimplError `CONFIG_INVALID`
 * @example const workers = system.spawn(router(worker, { routees: 4, routing: 'least-loaded' }), { name: 'workers' })
 */
export function router<M extends Message>(routee: Behavior<M>, options: RouterOptions<M>): Behavior<M> {
  const { routees, routing, key, spawn = {}, ...rest } = options
  const invalid = (expected: string, got: unknown) =>
    new SpimplError('CONFIG_INVALID', `router: expected ${expected}, got ${received(got)}`)
  if (!Number.isInteger(routees) || routees < 1) throw invalid('a whole number of routees from 1 on', routees)
  if (!ROUTINGS.includes(routing)) throw invalid(`a routing of ${ROUTINGS.join(', ')}`, routing)
  if (routing === 'consistent-hash' && typeof key !== 'function') throw invalid('a key for consistent-hash', key)
  return behavior<M>(context => {
    let refs = Array.from({ length: routees }, (_, at) => context.spawn(routee, { ...spawn, name: `routee-${at}` }))
    const chooser = (): ((message: M) => Ref<M>) =>
      routing === 'round-robin' ? inTurn(refs) : routing === 'least-loaded' ? leastLoaded(refs) : hashed(refs, key!)
    let choose = chooser()
    const onEnded = (ended: Ref<M>): void => {
      refs = refs.filter(ref => ref !== ended)
      choose = chooser()
      if (refs.length === 0) context.stop()
    }
    for (const ref of refs) context.watch(ref, () => new RouteeEnded(ref) as unknown as M)
    const route = (message: M): void => {
      if (message instanceof RouteeEnded) onEnded(message.routee)
      else choose(message).tell(message)
    }
    return { [anyMessage]: route } as unknown as Handlers<M>
  }, rest)
}

/** A message of a router to itself; nobody else can make one. */
class RouteeEnded<M extends Message> implements Message {
  readonly type = 'spimpl.routee-ended'
  readonly routee: Ref<M>

  constructor(routee: Ref<M>) {
    this.routee = routee
  }
}

function inTurn<M extends Message>(refs: readonly Ref<M>[]): (message: M) => Ref<M> {
  let next = 0
  return () => {
    const ref = refs[next]!
    next = (next + 1) % refs.length
    return ref
  }
}

function leastLoaded<M extends Message>(refs: readonly Ref<M>[]): () => Ref<M> {
  const cells = refs.map(cellOf)
  let next = 0
  return () => {
    let best = next % refs.length
    // The search begins behind the last choice, so that equally loaded routees take turns.
    for (let step = 1; step < cells.length; step++) {
      const at = (next + step) % cells.length
      if (load(at) < load(best)) best = at
    }
    next = best + 1
    return refs[best]!
  }
  function load(at: number): number {
    return cells[at]!.mailbox.size + cells[at]!.inFlight
  }
}

function hashed<M extends Message>(refs: readonly Ref<M>[], key: (message: M) => string): (message: M) => Ref<M> {
  // Points depend on paths alone, so that the keys of the other routees stay where they are when one has ended.
  const points = refs
    .flatMap(ref => Array.from({ length: POINTS }, (_, at) => ({ hash: hashOf(`${ref.path}/${at}`), ref })))
    .sort((a, b) => a.hash - b.hash)
  return message => {
    const hash = hashOf(key(message))
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (points[middle]!.hash < hash) low = middle + 1
      else high = middle
    }
    return points[low % points.length]!.ref
  }
}

/** FNV-1a with the last step of murmur3, which spreads similar keys. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
