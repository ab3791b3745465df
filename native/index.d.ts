/** What programs match on (ARGUMENT_INVALID: a wrong type or a number out of its range); the message says what was expected and what came. */
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

export interface DispatchQueueOptions {
  /** Many items at a time where the target's threads allow it; JavaScript items still run one at a time. */
  readonly concurrent?: boolean
  /** Runs nothing until `activate()`. */
  readonly inactive?: boolean
  /** Default: that of the target. */
  readonly qos?: QualityOfService
  /** Default: `DispatchQueue.lane`. Never an overcommitting queue. */
  readonly target?: DispatchQueue
}

/**
 * A `dispatch_queue_t`. Functions are run on the JavaScript thread that made the queue, one inside of each libdispatch item, so
 * that order, suspension, barriers and targets are libdispatch's own. Queues that end at a global queue take native jobs
 * only. What libdispatch answers with the end of the process is a typed error here.
 *
 * @example
 * const index = new DispatchQueue('net.example.index', { qos: 'utility' })
 * index.async(() => index.assertCurrent())
 */
export class DispatchQueue {
  /** Throws LIBDISPATCH_UNAVAILABLE or ADDON_UNAVAILABLE. The label is what debuggers and system tools show. */
  constructor(label: string, options?: DispatchQueueOptions)
  /** The root of this JavaScript thread: on the main thread the main queue. */
  static readonly lane: DispatchQueue
  /** A global queue: the threads of libdispatch, for native jobs. */
  static global(qos?: QualityOfService): DispatchQueue
  /** The value of the running queue for `key`, or of the nearest queue that it targets. */
  static getSpecific(key: unknown): unknown
  readonly label: string
  readonly target: DispatchQueue | undefined
  /** Whether its targets end at this thread's root, so that JavaScript can run on it. */
  readonly runsJavaScript: boolean
  /** Whether the caller runs on this queue or on one that targets it. A global queue never is. */
  readonly isCurrent: boolean
  /** Throws QUEUE_WRONG unless `isCurrent`. */
  assertCurrent(): void
  async(work: () => void): void
  barrierAsync(work: () => void): void
  /** At least `delayMs` from now, which is finite; as dispatch_after, late by up to a tenth. */
  after(delayMs: number, work: () => void): void
  /** Runs `work` for 0 to iterations - 1; settles after the last, rejects with the first exception. */
  apply(iterations: number, work: (index: number) => void): Promise<void>
  suspend(): void
  /** Throws QUEUE_OVER_RESUMED. */
  resume(): void
  activate(): void
  /** Only while the queue is inactive, as libdispatch wants it. */
  setTarget(target: DispatchQueue): void
  /** `undefined` removes. The value is kept as long as libdispatch has the queue, with items that still wait. */
  setSpecific(key: unknown, value: unknown): void
  /**
   * From now on other threads can send bytes to this queue, with `new RemoteQueue(port)`. What arrived since the last call
   * comes as one batch, as one item of this queue, in the order of each sender. Keeps the program alive until `unlisten()`.
   * @returns the port: a number that can travel in any message
   */
  listen(onMessages: (batch: Uint8Array[]) => void): number
  unlisten(): void
  /** Lets go of the queue; what was enqueued still runs. A queue that is simply collected does the same. */
  release(): void
  [Symbol.dispose](): void
}

/** A queue of another thread, as a place to send bytes to. */
export class RemoteQueue {
  /** @param options.capacity how many messages may wait; default 65,536. Throws QUEUE_RELEASED where nobody listens. */
  constructor(port: number, options?: { readonly capacity?: number })
  /** Copies the bytes. False where the inbox is full or nobody listens any more. */
  send(bytes: Uint8Array): boolean
}

/** A `dispatch_group_t` of this thread. */
export class DispatchGroup {
  enter(): void
  /** Throws GROUP_UNBALANCED. */
  leave(): void
  async(queue: DispatchQueue, work: () => void): void
  notify(queue: DispatchQueue, work: () => void): void
  /** Settles when the group is empty. */
  wait(): Promise<void>
}

export type DispatchSourceType = 'timer' | 'read' | 'write' | 'data-add' | 'data-or' | 'data-replace'

export interface DispatchSourceOptions {
  readonly queue: DispatchQueue
  /** For read and write. It is open, and must stay so until `cancel()` has settled. */
  readonly descriptor?: number
  /** A timer that is strict is not moved together with others to save power. */
  readonly strict?: boolean
  /** Whether it keeps the program alive while active; default true. Data sources never do. */
  readonly ref?: boolean
  /** Timer: how often it was due since the last call. Read, write: bytes, an estimate. Data: what was merged. */
  readonly onFire: (data: number) => void
}

/** A `dispatch_source_t`. It is kept until it is cancelled, whether or not somebody refers to it. */
export class DispatchSource {
  /** Throws SOURCE_INVALID, QUEUE_WRONG. */
  constructor(type: DispatchSourceType, options: DispatchSourceOptions)
  /** `delayMs` from now, Infinity to disarm; again every `intervalMs`; libdispatch may be late by `leewayMs`. */
  schedule(schedule: { readonly delayMs: number; readonly intervalMs?: number; readonly leewayMs?: number }): this
  activate(): this
  suspend(): void
  /** Throws QUEUE_OVER_RESUMED. */
  resume(): void
  merge(data: number): void
  ref(): this
  unref(): this
  /**
   * Settles when the source will never fire again: of one that is suspended, or whose queue is, once it is resumed. Waiting for
   * that keeps no program alive.
   */
  cancel(): Promise<void>
}

/** Runs what this thread's root queue has now, instead of when the event loop polls next. */
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
 * Ciphers for many small messages, on the calling thread, one Node-API call for a batch. The OpenSSL behind it is the one
 * that node itself exports. Results of a batch are cut from shared slabs: keep them, change them, but copy what goes to another
 * thread, because a slab cannot be transferred.
 *
 * @example
 * const [sealed] = cipher.seal([{ key, nonce, associatedData, data }])   // ciphertext, then the tag
 */
export interface BatchCipher {
  /** AES-128-GCM, one answer for each job, in order. Throws RangeError for a key or nonce of the wrong length, TypeError for what is no Uint8Array. */
  seal(jobs: readonly CipherJob[]): Uint8Array[]
  /** The plaintext of each job, or undefined where the tag does not hold. */
  open(jobs: readonly CipherJob[]): (Uint8Array | undefined)[]
  /** AES-128-CTR over at most 65,504 bytes with an IV of 16 bytes; the same call masks and unmasks. */
  mask(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array
  /** keccak-256 as Ethereum uses it: 32 bytes. */
  keccak256(data: Uint8Array): Uint8Array
}

/** Undefined where the addon did not load, or where this node exports no OpenSSL; `backendInfo()` says which. */
export const cipher: BatchCipher | undefined

export interface ThreadOptions {
  /** Shown by system tools; Linux keeps the first 15 bytes. */
  readonly name: string
  /** The number of the CPU it is bound to; default any. macOS binds none. */
  readonly cpu?: number
  /** As nice(1): -20 the most urgent, 19 the least, 0 unchanged. */
  readonly priority?: number
}

/**
 * A thread that stays put: one OS thread that performs native jobs in order. Needs no libdispatch.
 *
 * @example
 * const thread = new PinnedThread({ name: 'sealing', cpu: 1 })
 * const sealed = await new NativeJobs(thread).seal(batch)
 * await thread.stop()
 */
export class PinnedThread {
  /** Throws ADDON_UNAVAILABLE, THREAD_INVALID, and THREAD_REFUSED where the system gives no thread. */
  constructor(options: ThreadOptions)
  /** Gives the calling thread these traits; answers what the system refused, or an empty string. For a Worker's own code. */
  static pinHere(options: ThreadOptions): string
  /**
   * Confines a module to a thread of its own: its import and each of its functions run there and nowhere else, one call at a
   * time. So a library that tolerates only one thread, or blocks, does no harm. An exported `start(initial)` runs first.
   * @param module absolute URL or package name, imported on that thread
   *
   * @example
   * const database = await PinnedThread.confine(new URL('./database.js', import.meta.url), { name: 'database' })
   * const rows = await database.call('query', ['select 1'])
   */
  static confine(module: string | URL, options: ThreadOptions & { readonly initial?: unknown }): Promise<ConfinedModule>
  readonly name: string
  /** The system's number of the thread, as in /proc/self/task. */
  readonly systemId: number
  /** What the system refused of `cpu` and `priority`; empty when nothing. */
  readonly refused: string
  /** Settles when it has performed what it had and ended. */
  stop(): Promise<void>
}

export interface ConfinedModule {
  /** What the system refused of `cpu` and `priority`; empty when nothing. */
  readonly refused: string
  /** Arguments and answer are cloned as by postMessage; buffers in `transfer` move. Rejects with what the function threw. */
  call(name: string, parameters?: readonly unknown[], transfer?: readonly ArrayBuffer[]): Promise<unknown>
  /** Ends the thread; calls that wait are rejected. */
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
 * Batches on other threads: those of libdispatch, for a queue that ends at a global queue, or a pinned thread. The messages
 * are read where they lie: until the answer, neither change, resize nor transfer them.
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
  /** On Linux satisfied means: a default route over an interface that is up, runs (has its carrier) and has an address. */
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
 * How this machine reaches the network, and when that changes: rtnetlink on Linux, `nw_path_monitor_t` on macOS. Keeps no
 * program alive.
 *
 * @example
 * const monitor = new NetworkPathMonitor(path => console.log(path.status, path.defaultInterface))
 */
export class NetworkPathMonitor {
  /** Throws NETWORK_UNAVAILABLE. */
  constructor(onPath: (path: NetworkPath) => void)
  /** The path now; on macOS undefined until the first one was told. */
  readonly path: NetworkPath | undefined
  cancel(): void
}

/** The states of an `nw_connection_t`; a listener has no `preparing`. */
export type ConnectionState = 'setup' | 'preparing' | 'waiting' | 'ready' | 'failed' | 'cancelled'

export interface ConnectionHandlers {
  /** `error` is the system's number (of libuv, where a name has no address). After `failed` comes `cancelled`, and after that nothing. */
  readonly onState?: (state: ConnectionState, error: number | undefined) => void
  readonly onDatagrams?: (batch: Uint8Array[]) => void
  /** Whether datagrams can pass just now; the connection stays ready meanwhile. */
  readonly onViability?: (viable: boolean) => void
  /** A connection that were made now would take a better path. */
  readonly onBetterPath?: (better: boolean) => void
  readonly onSendError?: (error: number) => void
}

export interface NetworkConnectionOptions extends ConnectionHandlers {
  readonly host: string
  readonly port: number
  readonly localPort?: number
}

/**
 * One UDP flow with the life of an `nw_connection_t`: that itself on macOS, node:dgram with rtnetlink elsewhere. Without a
 * network it waits and starts again when the path changes. Keeps the program alive from `start()` to `cancelled`.
 */
export class NetworkConnection {
  constructor(options: NetworkConnectionOptions)
  readonly host: string
  readonly port: number
  readonly state: ConnectionState
  readonly viable: boolean
  /** `handlers` replace those of the constructor: a listener's connections are given theirs so. */
  start(handlers?: ConnectionHandlers): void
  /** False where the connection is not ready; the batch then is dropped. */
  send(batch: readonly Uint8Array[]): boolean
  cancel(): Promise<void>
}

/** Accepts flows: the first datagram of a remote makes a connection, which is to be started or cancelled. */
export class NetworkListener {
  constructor(options: {
    /** Default 0.0.0.0. */
    readonly host?: string
    /** Default 0: a free one, then in `port`. */
    readonly port?: number
    readonly onConnection: (connection: NetworkConnection) => void
    readonly onState?: (state: ConnectionState, error: number | undefined) => void
  })
  readonly port: number
  readonly state: ConnectionState
  start(): void
  cancel(): Promise<void>
}

/** What was found on this machine, and why other candidates were refused. */
export interface BackendInfo {
  readonly addon: {
    readonly loaded: boolean
    /** The file it came from. */
    readonly file: string | undefined
    /** Why candidates were refused, in the order in which they were tried. */
    readonly reasons: readonly string[]
  }
  readonly libdispatch: {
    readonly found: boolean
    readonly path?: string
    /** Of the self-test: this thread to a worker thread and back. */
    readonly roundTripUs?: number
    /** Why candidates were refused, in the order in which they were tried. */
    readonly refused: readonly string[]
    /** How this thread is served: by the main queue, by a root of its own, or for native jobs only. */
    readonly root?: 'main' | 'lane' | 'none'
    /** Why this thread cannot be served where `root` is none, else why those other than the main thread cannot. */
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
