import type * as native from 'node-dispatch-addon'
import { DispatchGroup } from 'spimpl-runtime/internal/queues/dispatch-group.js'
import { DispatchQueue, type DispatchQueueOptions } from 'spimpl-runtime/internal/queues/dispatch-queue.js'
import { DispatchSource } from 'spimpl-runtime/internal/queues/dispatch-source.js'
import { QueueKey } from 'spimpl-runtime/internal/queues/queue-key.js'
import type { RootQueue, Target } from 'spimpl-runtime/internal/queues/root-queue.js'

/** Where a queue can stand: another queue, or a root. */
export interface SharedTarget {
  readonly target: SharedTarget | undefined
}

export interface SharedWorkOptions<Group> {
  readonly barrier?: boolean
  readonly group?: Group
}

export interface SharedQueueOptions<Target> {
  readonly target?: Target
  readonly qos?: native.QualityOfService
  readonly concurrent?: boolean
  readonly inactive?: boolean
  readonly onError?: (error: unknown) => void
}

export interface SharedKey<T> {
  readonly name: string
  readonly type?: T
}

/**
 * What a program may do with a queue of either package: the runtime's, or one of libdispatch. `sync` is the runtime's alone:
 * an item of libdispatch for this thread cannot run before the caller has returned.
 */
export interface SharedQueue<Target = SharedTarget, Group = SharedGroup> {
  readonly label: string
  readonly concurrent: boolean
  readonly band: number
  readonly target: Target | undefined
  readonly size: number
  readonly suspended: boolean
  async(work: () => unknown, options?: SharedWorkOptions<Group>): void
  asyncAndWait<R>(work: () => R, options?: SharedWorkOptions<Group>): Promise<Awaited<R>>
  after(delayMs: number, work: () => unknown): () => boolean
  apply(iterations: number, work: (iteration: number) => unknown): Promise<void>
  suspend(): void
  resume(): void
  activate(): void
  setTarget(target: Target): void
  setSpecific<T>(key: SharedKey<T>, value: T | undefined): void
  getSpecific<T>(key: SharedKey<T>): T | undefined
  assertCurrent(): void
  assertNotCurrent(): void
}

export interface SharedGroup<Queue = unknown, Root = SharedTarget> {
  readonly size: number
  enter(): void
  leave(): void
  notify(queue: Queue, work: () => unknown): void
  wait(): Promise<void>
  waitWithin(timeoutMs: number, root: Root): Promise<boolean>
}

/** Sources of streams are the runtime's alone, those of descriptors libdispatch's. */
export interface SharedSource<Queue = SharedQueue> {
  readonly queue: Queue
  readonly data: number
  readonly isCancelled: boolean
  setEventHandler(handler: () => unknown): void
  setCancelHandler(handler: () => unknown): void
  activate(): void
  suspend(): void
  resume(): void
  mergeData(value: number): void
  cancel(): void
}

export interface SharedSchedule {
  readonly afterMs: number
  readonly repeatingMs?: number
  readonly leewayMs?: number
}

export interface SharedSources<Queue = SharedQueue> {
  dataAdd(queue: Queue): SharedSource<Queue>
  dataOr(queue: Queue): SharedSource<Queue>
  dataReplace(queue: Queue): SharedSource<Queue>
  timer(queue: Queue, schedule: SharedSchedule): SharedSource<Queue>
}

export interface SharedSpecifics {
  getSpecific<T>(key: SharedKey<T>): T | undefined
}

/** The classes of one package, as a program imports them. */
export interface QueueLibrary {
  readonly DispatchQueue: SharedSpecifics & {
    new (label: string, options?: SharedQueueOptions<SharedTarget>): SharedQueue
    readonly main: SharedTarget
  }
  readonly DispatchGroup: new () => SharedGroup
  readonly DispatchSource: SharedSources
  readonly QueueKey: new <T>(name: string) => SharedKey<T>
}

/** A queue takes targets and groups of its own package alone, which `VerbsThatDiffer` compares. */
export const runtimeLibrary = { DispatchQueue, DispatchGroup, DispatchSource, QueueKey } as QueueLibrary

/**
 * The verbs that do not fit. A class that can be assigned to its interface may still take less than that promises, because the
 * compiler compares parameters of methods in both directions; here they are compared in one.
 */
type Misfits<Class, Shared> = Class extends Shared
  ? {
      [K in keyof Shared]-?: K extends keyof Class ? (Fits<Class[K], Shared[K]> extends true ? never : K) : K
    }[keyof Shared]
  : 'the class as a whole'

type Fits<Own, Shared> = [Shared] extends [(...taken: infer Taken) => infer Answer]
  ? [Own] extends [(...taken: Taken) => Answer]
    ? true
    : false
  : [Own] extends [Shared]
    ? true
    : false

type Nothing<T extends never> = T

/** Compiles while both packages have all verbs, with the same parameters and answers. */
export type VerbsThatDiffer = Nothing<
  | Misfits<DispatchQueue, SharedQueue<Target, DispatchGroup>>
  | Misfits<native.DispatchQueue, SharedQueue<native.DispatchQueue, native.DispatchGroup>>
  | Misfits<DispatchQueueOptions, SharedQueueOptions<Target>>
  | Misfits<native.DispatchQueueOptions, SharedQueueOptions<native.DispatchQueue>>
  | Misfits<typeof DispatchQueue, SharedSpecifics>
  | Misfits<typeof native.DispatchQueue, SharedSpecifics>
  | Misfits<DispatchGroup, SharedGroup<DispatchQueue, RootQueue>>
  | Misfits<native.DispatchGroup, SharedGroup<native.DispatchQueue, native.DispatchQueue>>
  | Misfits<DispatchSource, SharedSource<DispatchQueue>>
  | Misfits<native.DispatchSource, SharedSource<native.DispatchQueue>>
  | Misfits<typeof DispatchSource, SharedSources<DispatchQueue>>
  | Misfits<typeof native.DispatchSource, SharedSources<native.DispatchQueue>>
>
