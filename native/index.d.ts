/**
 * Codes for programs to match on. ARGUMENT_INVALID is a wrong type or a number out of its range. The message says what
 * was expected and what was received.
 */
export type AddonErrorCode =
  | 'ADDON_UNAVAILABLE'
  | 'LIBDISPATCH_UNAVAILABLE'
  | 'ARGUMENT_INVALID'
  | 'QUEUE_WRONG'
  | 'QUEUE_RELEASED'
  | 'QUEUE_OVER_RESUMED'
  | 'QUEUE_TARGET_INVALID'
  | 'QOS_UNKNOWN'
  | 'GROUP_UNBALANCED'
  | 'SOURCE_INVALID'
  | 'JOB_INVALID'
  | 'JOB_FAILED'
  | 'THREAD_INVALID'
  | 'THREAD_REFUSED'
  | 'THREAD_STOPPED'
  | 'NETWORK_UNAVAILABLE'
  | 'CONNECTION_INVALID'

export class AddonError extends Error {
  readonly code: AddonErrorCode
  constructor(code: AddonErrorCode, message: string)
}

export type QualityOfService = 'user-interactive' | 'user-initiated' | 'default' | 'utility' | 'background'

/** What a queue runs. Work that returns a promise is in flight until it settles: a serial queue waits for it. */
export type Work<R = unknown> = () => R

export interface WorkOptions {
  /** On a concurrent queue: runs alone, behind all that came before, before all that comes after. */
  readonly barrier?: boolean
  /** Entered now, left when the work is done. */
  readonly group?: DispatchGroup
}

export interface DispatchQueueOptions {
  /** Default: `DispatchQueue.main`. Never an overcommitting queue. */
  readonly target?: DispatchQueue
  /** Default: that of the target. */
  readonly qos?: QualityOfService
  /**
   * Native jobs run many at a time, as the target's threads allow; of JavaScript, what overlaps are pending promises.
   */
  readonly concurrent?: boolean
  /** Runs nothing before `activate()`, and may be given another target until then. */
  readonly inactive?: boolean
  /** Where an error goes that work throws or rejects with. Default: it is an uncaught exception. */
  readonly onError?: (error: unknown) => void
}

/** A key of queue-specific data; two keys of one name are two keys. */
export class QueueKey<T> {
  constructor(name: string)
  readonly name: string
  /** Only for the compiler. */
  readonly type?: T
}

/**
 * A `dispatch_queue_t`, with the verbs of the runtime's DispatchQueue. Functions run on the JavaScript thread that made
 * the queue, one inside of each libdispatch item, so that order, suspension, barriers and targets are libdispatch's
 * own. Queues that end at a global queue take native jobs only. Misuse for which libdispatch ends the process is a
 * typed error here.
 *
 * There is no `sync`: the items run on the calling thread, which would wait for itself.
 *
 * @example
 * const index = new DispatchQueue('net.example.index', { qos: 'utility' })
 * let words = 0
 * index.async(() => { words++ })
 * const count = await index.asyncAndWait(() => words)
 */
export class DispatchQueue {
  /** Throws LIBDISPATCH_UNAVAILABLE or ADDON_UNAVAILABLE. The label is what debuggers and system tools show. */
  constructor(label: string, options?: DispatchQueueOptions)
  /** The root of this JavaScript thread, for queues that name no target: on the main thread the main queue. */
  static readonly main: DispatchQueue
  /** A global queue: the threads of libdispatch, for native jobs. */
  static global(qos?: QualityOfService): DispatchQueue
  /** The value of the running queue for `key`, or of the nearest queue that it targets. */
  static getSpecific<T>(key: QueueKey<T>): T | undefined
  readonly label: string
  readonly concurrent: boolean
  /** The index of its class of service, 0 the most urgent. */
  readonly band: number
  readonly target: DispatchQueue | undefined
  /** Items that wait to begin. */
  readonly size: number
  /** Whether it is inactive, or was suspended more often than resumed. */
  readonly suspended: boolean
  /** Whether its targets end at this thread's root, so that JavaScript can run on it. */
  readonly runsJavaScript: boolean
  /**
   * Whether the code runs on this queue or on one that targets it: not behind an `await`, and never on a global queue.
   */
  readonly isCurrent: boolean
  /** Runs `work` later, behind what waits. Never runs it before it returns. */
  async(work: Work, options?: WorkOptions): void
  /**
   * As `async`, and settles with what `work` returns or throws. Rejects with QUEUE_SYNC_ON_SELF where an item of a
   * serial queue would wait for one behind it.
   */
  asyncAndWait<R>(work: Work<R>, options?: WorkOptions): Promise<Awaited<R>>
  /**
   * Runs `work` once `delayMs` have passed; as dispatch_after, late by up to a tenth. Infinity is never.
   * @returns what cancels it, also on a queue that is suspended: false when the work has begun
   */
  after(delayMs: number, work: Work): () => boolean
  /**
   * Runs `work(0)` to `work(iterations - 1)` and settles when all are done, also if some failed; rejects with the error
   * of the first that did, and with QUEUE_SYNC_ON_SELF where a serial queue would wait for itself.
   */
  apply(iterations: number, work: (iteration: number) => unknown): Promise<void>
  /** Begins nothing more until `resume()` was called as often. What is in flight goes on. */
  suspend(): void
  /** Throws QUEUE_OVER_RESUMED when it was not suspended so often. */
  resume(): void
  /** Lets an inactive queue begin; on an active one it does nothing. */
  activate(): void
  /** Throws QUEUE_TARGET_INVALID on an active queue, or when the tree would become a circle. */
  setTarget(target: DispatchQueue): void
  /** `undefined` removes. The value is kept as long as libdispatch has the queue, with items that still wait. */
  setSpecific<T>(key: QueueKey<T>, value: T | undefined): void
  /** What this queue itself holds under the key. */
  getSpecific<T>(key: QueueKey<T>): T | undefined
  /** Throws QUEUE_WRONG unless `isCurrent`. */
  assertCurrent(): void
  /** Throws QUEUE_WRONG if `isCurrent`. */
  assertNotCurrent(): void
  /**
   * Lets other threads send bytes to this queue, with `new RemoteQueue(port)`. Messages that arrived since the last
   * call come as one batch, as one item of this queue, in the order of each sender. Keeps the program alive until
   * `unlisten()`.
   * @returns the port: a number that can travel in any message
   */
  listen(onMessages: (batch: Uint8Array[]) => void): number
  unlisten(): void
  /** Lets go of the queue; enqueued items still run. Garbage collection does the same. */
  release(): void
  [Symbol.dispose](): void
}

/** A queue of another thread, as a place to send bytes to. */
export class RemoteQueue {
  /**
   * @param options.capacity how many messages may wait; default 65,536. Throws QUEUE_RELEASED if no queue listens on
   * the port.
   */
  constructor(port: number, options?: { readonly capacity?: number })
  /** Copies the bytes. Returns false if the inbox is full or the queue no longer listens. */
  send(bytes: Uint8Array): boolean
}

/** A `dispatch_group_t` of this thread, with the verbs of the runtime's DispatchGroup. */
export class DispatchGroup {
  /** What has begun and is not done. */
  readonly size: number
  enter(): void
  /** Throws GROUP_UNBALANCED when it was not entered so often. */
  leave(): void
  /** Runs `work` on `queue` once the group is empty; at once if it is. */
  notify(queue: DispatchQueue, work: Work): void
  /** Settles when the group is empty. */
  wait(): Promise<void>
  /** Settles when the group is empty: true, or after `timeoutMs`, as an item of `root`: false. */
  waitWithin(timeoutMs: number, root: DispatchQueue): Promise<boolean>
}

/** When a timer source fires. */
export interface TimerSchedule {
  /** From `activate()`, or from `schedule()` on an active source. Infinity is never. */
  readonly afterMs: number
  /** Default: once. */
  readonly repeatingMs?: number
  /**
   * libdispatch may be late by this much, to wake the process less often; of one that repeats at most half its
   * interval.
   */
  readonly leewayMs?: number
}

/**
 * A `dispatch_source_t`, with the verbs of the runtime's DispatchSource. It is born inactive; its handlers are set,
 * then it is activated. It is kept until its cancel handler has run, whether or not anything refers to it; what its
 * handlers refer to is kept with it, such as the source's own queue.
 *
 * libdispatch watches descriptors, where the runtime's sources watch Node's streams.
 */
export class DispatchSource {
  private constructor()
  /** Values given to `mergeData` are added up. */
  static dataAdd(queue: DispatchQueue): DispatchSource
  /** Values given to `mergeData` are combined bit by bit (32 bits). */
  static dataOr(queue: DispatchQueue): DispatchSource
  /** The last value given to `mergeData` counts. */
  static dataReplace(queue: DispatchQueue): DispatchSource
  /**
   * `data` is how often it was due since the last event.
   * @param options.strict it is not moved together with other timers to save power
   */
  static timer(queue: DispatchQueue, schedule: TimerSchedule, options?: { readonly strict?: boolean }): DispatchSource
  /**
   * Fires while the descriptor has bytes to read; `data` is how many, an estimate. The descriptor is open, and stays so
   * until the cancel handler has run. Throws SOURCE_INVALID.
   */
  static readable(queue: DispatchQueue, descriptor: number): DispatchSource
  /** Fires while the descriptor takes bytes; `data` is how many, an estimate. As `readable` otherwise. */
  static writable(queue: DispatchQueue, descriptor: number): DispatchSource
  readonly queue: DispatchQueue
  /** Inside the event handler: the merged value of what happened. */
  readonly data: number
  readonly isCancelled: boolean
  /** A promise that the handler returns holds the queue; the handler never overlaps itself. */
  setEventHandler(handler: () => unknown): void
  /** Runs once, on the queue, behind the last event; of a source that is suspended or inactive once it goes on. */
  setCancelHandler(handler: () => unknown): void
  /** Another schedule for a timer: `dispatch_source_set_timer`. */
  schedule(schedule: TimerSchedule): void
  activate(): void
  /** Holds events back; they are merged meanwhile. Counted. */
  suspend(): void
  /** As often as it was suspended, else QUEUE_OVER_RESUMED. One that is inactive and not suspended it activates. */
  resume(): void
  /** Adds to the data of a data source, in whole numbers. What comes to zero is no event. */
  mergeData(value: number): void
  /** No event is delivered any more, not even one that waits. */
  cancel(): void
  /** An active source keeps the program alive while it may fire by itself. Default; data sources never do. */
  ref(): void
  unref(): void
}

/** Runs the items of this thread's root queue now, instead of after the next poll of the event loop. */
export function drainLane(): void

/** One message of a batch. `data` is the plaintext to seal, or the ciphertext with its tag of 16 bytes to open. */
export interface CipherJob {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly associatedData: Uint8Array
  readonly data: Uint8Array
}

/**
 * Ciphers for many small messages, on the calling thread, with one Node-API call per batch and the OpenSSL that node
 * itself exports. Results of a batch are cut from shared slabs: you may keep and change a result, but copy it before
 * you send it to another thread, because a slab cannot be transferred.
 *
 * @example
 * const [sealed] = cipher.seal([{ key, nonce, associatedData, data }])   // ciphertext, then the tag
 */
export interface BatchCipher {
  /**
   * AES-128-GCM, one result for each job, in order. Throws RangeError for a key or nonce of the wrong length, TypeError
   * for an argument that is no Uint8Array.
   */
  seal(jobs: readonly CipherJob[]): Uint8Array[]
  /** The plaintext of each job, or undefined if its tag is wrong. */
  open(jobs: readonly CipherJob[]): (Uint8Array | undefined)[]
  /** AES-128-CTR over at most 65,504 bytes with an IV of 16 bytes; the same call masks and unmasks. */
  mask(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array
  /** keccak-256 as Ethereum uses it: 32 bytes. */
  keccak256(data: Uint8Array): Uint8Array
}

/** Undefined if the addon did not load or this node exports no OpenSSL; `backendInfo()` says which. */
export const cipher: BatchCipher | undefined

export interface ThreadOptions {
  /** Shown by system tools; Linux keeps the first 15 bytes. */
  readonly name: string
  /** The CPU to which the thread is bound; default any. macOS binds no thread. */
  readonly cpu?: number
  /** As nice(1): -20 the most urgent, 19 the least, 0 unchanged. */
  readonly priority?: number
}

/**
 * A pinned thread: one OS thread that performs native jobs in order. Needs no libdispatch.
 *
 * @example
 * const thread = new PinnedThread({ name: 'sealing', cpu: 1 })
 * const sealed = await new NativeJobs(thread).seal(batch)
 * await thread.stop()
 */
export class PinnedThread {
  /** Throws ADDON_UNAVAILABLE, THREAD_INVALID, and THREAD_REFUSED if the system gives no thread. */
  constructor(options: ThreadOptions)
  /**
   * Gives the calling thread these traits; answers the traits that the system refused, or an empty string. For a
   * Worker's own code.
   */
  static pinHere(options: ThreadOptions): string
  /**
   * Confines a module to a thread of its own: its import and its functions run there and nowhere else, one call at a
   * time. Use it for a library that tolerates only one thread, or blocks. An exported `start(initial)` runs first.
   * @param module absolute URL or package name, imported on that thread
   *
   * @example
   * const database = await PinnedThread.confine(new URL('./database.js', import.meta.url), { name: 'database' })
   * const rows = await database.call('query', ['select 1'])
   */
  static confine(module: string | URL, options: ThreadOptions & { readonly initial?: unknown }): Promise<ConfinedModule>
  readonly name: string
  /** The OS thread id, as in /proc/self/task. */
  readonly systemId: number
  /** The traits (`cpu`, `priority`) that the system refused, with its reasons; empty if it granted all. */
  readonly refused: string
  /** Settles when the thread has performed its remaining jobs and ended. */
  stop(): Promise<void>
}

export interface ConfinedModule {
  /** The traits (`cpu`, `priority`) that the system refused, with its reasons; empty if it granted all. */
  readonly refused: string
  /**
   * Arguments and result are cloned as by postMessage; buffers in `transfer` move. Rejects with the error that the
   * function threw.
   */
  call(name: string, parameters?: readonly unknown[], transfer?: readonly ArrayBuffer[]): Promise<unknown>
  /** Ends the thread and rejects pending calls. */
  stop(): Promise<void>
}

export interface MaskJob {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 16 bytes. */
  readonly iv: Uint8Array
  readonly data: Uint8Array
}

/**
 * Batches on other threads: those of libdispatch, for a queue under a global queue, or a pinned thread. The messages
 * are read in place: do not change, resize or transfer them before the result is there.
 *
 * @example
 * const jobs = new NativeJobs(new DispatchQueue('sealing', { target: DispatchQueue.global('utility') }))
 * const sealed = await jobs.seal(batch)
 */
export class NativeJobs {
  /** @param options.spread shares each batch among the cores with dispatch_apply */
  constructor(place: DispatchQueue | PinnedThread, options?: { readonly spread?: boolean })
  /** As `BatchCipher.seal`. */
  seal(jobs: readonly CipherJob[]): Promise<Uint8Array[]>
  open(jobs: readonly CipherJob[]): Promise<(Uint8Array | undefined)[]>
  mask(jobs: readonly MaskJob[]): Promise<Uint8Array[]>
  keccak256(messages: readonly Uint8Array[]): Promise<Uint8Array[]>
}

export interface NetworkPath {
  /**
   * On Linux satisfied means a default route over an interface that is up, runs (has its carrier) and has an address.
   */
  readonly status: 'satisfied' | 'unsatisfied'
  readonly supportsIpv4: boolean
  readonly supportsIpv6: boolean
  /** The interface of the default route. */
  readonly defaultInterface: string | undefined
  readonly interfaces: readonly {
    readonly name: string
    readonly type: 'wired' | 'wifi' | 'cellular' | 'loopback' | 'other'
    readonly addresses: readonly string[]
  }[]
}

/**
 * Reports how this machine reaches the network, and each change: rtnetlink on Linux, `nw_path_monitor_t` on macOS. Does
 * not keep the program alive.
 *
 * @example
 * const monitor = new NetworkPathMonitor(path => console.log(path.status, path.defaultInterface))
 */
export class NetworkPathMonitor {
  /** Throws NETWORK_UNAVAILABLE. */
  constructor(onPath: (path: NetworkPath) => void)
  /** The current path; on macOS undefined until the first report. */
  readonly path: NetworkPath | undefined
  cancel(): void
}

/** The states of an `nw_connection_t`; a listener has no `preparing`. */
export type ConnectionState = 'setup' | 'preparing' | 'waiting' | 'ready' | 'failed' | 'cancelled'

export interface ConnectionHandlers {
  /**
   * `error` is an errno (a libuv error for a name without an address). `cancelled` follows `failed`, and is the last
   * state.
   */
  readonly onState?: (state: ConnectionState, error: number | undefined) => void
  readonly onDatagrams?: (batch: Uint8Array[]) => void
  /** Whether datagrams can pass just now; the connection stays ready meanwhile. */
  readonly onViability?: (viable: boolean) => void
  /** A new connection would take a better path. */
  readonly onBetterPath?: (better: boolean) => void
  readonly onSendError?: (error: number) => void
}

export interface NetworkConnectionOptions extends ConnectionHandlers {
  readonly host: string
  readonly port: number
  readonly localPort?: number
}

/**
 * One UDP flow with the lifecycle of an `nw_connection_t`: that itself on macOS, node:dgram with rtnetlink elsewhere.
 * Without a network it waits, and tries again when the path changes. Keeps the program alive from `start()` to
 * `cancelled`.
 */
export class NetworkConnection {
  constructor(options: NetworkConnectionOptions)
  readonly host: string
  readonly port: number
  readonly state: ConnectionState
  readonly viable: boolean
  /** `handlers` replace those of the constructor, for connections that a listener made. */
  start(handlers?: ConnectionHandlers): void
  /** Returns false, and drops the batch, if the connection is not ready. */
  send(batch: readonly Uint8Array[]): boolean
  cancel(): Promise<void>
}

/** Accepts flows: the first datagram of a remote makes a connection, which the program must start or cancel. */
export class NetworkListener {
  constructor(options: {
    /** Default 0.0.0.0. */
    readonly host?: string
    /** Default 0: a free port, which `port` then shows. */
    readonly port?: number
    readonly onConnection: (connection: NetworkConnection) => void
    readonly onState?: (state: ConnectionState, error: number | undefined) => void
  })
  readonly port: number
  readonly state: ConnectionState
  start(): void
  cancel(): Promise<void>
}

/** The libraries that were found on this machine, and the reasons why other candidates were refused. */
export interface BackendInfo {
  readonly addon: {
    readonly loaded: boolean
    /** The file of the addon. */
    readonly file: string | undefined
    /** Why candidates were refused, in the order of the attempts. */
    readonly reasons: readonly string[]
  }
  readonly libdispatch: {
    readonly found: boolean
    readonly path?: string
    /** Measured by the self-test: from this thread to a worker thread and back. */
    readonly roundTripUs?: number
    /** Why candidates were refused, in the order of the attempts. */
    readonly refused: readonly string[]
    /** How this thread is served: by the main queue, by a root of its own, or for native jobs only. */
    readonly root?: 'main' | 'lane' | 'none'
    /**
     * Why this thread cannot be served if `root` is `none`; otherwise why threads other than the main thread cannot.
     */
    readonly laneObstacle?: string
  }
  /** Native jobs of this process: how many, on how many threads, and how many ran at the same time. */
  readonly jobs: { readonly performed: number; readonly threads: number; readonly mostAtOnce: number }
  readonly openssl: {
    readonly found: boolean
    /** The version text of OpenSSL, or the first symbol that is missing. */
    readonly detail: string
  }
}

export function backendInfo(): BackendInfo
