import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads'
import type { RootQueue } from '../queues/root-queue.ts'
import type { Doorbell } from './doorbell.ts'
import { deliverFrame, deliverFromPort, fromPortFrame, LaneBatch, type PortBatch, type Receive } from './lane-batch.ts'
import type { LaneWatch, Watched } from './lane-watch.ts'
import type { SharedRing } from './shared-ring.ts'

/** Messages that may wait for room in the ring before the senders are held. */
const CONGESTED_ENTRIES = 16_384
/** Frames that are read before other links get their turn. */
const FRAMES_PER_LOOK = 64

/**
 * A resolved promise, because `queueMicrotask` makes an asynchronous resource each time: 0.7 us of a round trip of 21.
 */
const resolved = Promise.resolve()

/** The parts of a link. */
export interface LinkEnds {
  readonly incoming: SharedRing
  readonly outgoing: SharedRing
  /** Wakes the other side. */
  readonly bell: Doorbell
  readonly port: MessagePort | Worker
  /** The watch of this thread. */
  readonly watch: LaneWatch
  /** The root of this thread, whose work comes before looking for answers. */
  readonly root: Pick<RootQueue, 'leisureMs'>
}

/**
 * The way between two lanes. Batches go through a ring in shared memory. A batch that is too large for the ring, or has
 * buffers that change owner, goes through the port, and a frame in the ring holds its place, so that the order holds
 * over both.
 */
export class LaneLink implements Watched {
  readonly #incoming: SharedRing
  readonly #outgoing: SharedRing
  readonly #bell: Doorbell
  readonly #port: MessagePort | Worker
  readonly #watch: LaneWatch
  readonly #root: Pick<RootQueue, 'leisureMs'>
  readonly #receive: Receive
  readonly #lost: Receive
  readonly #batch = new LaneBatch()
  readonly #backlog: { readonly frame: Uint8Array; readonly entries: number }[] = []
  #backlogEntries = 0
  readonly #fromPort: PortBatch[] = []
  #portFramesAwaited = 0
  #flushing = false
  #closed = false
  #waiters: (() => void)[] = []

  /** @param lost takes messages that can no longer be sent */
  constructor({ incoming, outgoing, bell, port, watch, root }: LinkEnds, receive: Receive, lost: Receive) {
    this.#lost = lost
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#bell = bell
    this.#port = port
    this.#watch = watch
    this.#root = root
    this.#receive = receive
    port.on('message', this.#onPortMessage)
    // The other side may have written before this thread could be woken.
    watch.add(this)
  }

  /** The other side does not keep up: senders must be held. */
  get congested(): boolean {
    return this.#backlogEntries > CONGESTED_ENTRIES
  }

  /** Settles when the link is no longer congested, or closed. */
  drained(): Promise<void> {
    if (!this.congested || this.#closed) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  /**
   * @param payload plain data: references are encoded already
   * @param textual JSON reproduces the payload exactly
   */
  send(
    lane: number,
    kind: number,
    id: number,
    messageId: number,
    causeId: number,
    payload: unknown,
    textual = false,
  ): void {
    if (this.#closed) return
    this.#batch.push(lane, kind, id, messageId, causeId, payload, textual)
    if (this.#batch.full) {
      this.#flush()
    } else if (!this.#flushing) {
      this.#flushing = true
      void resolved.then(this.#onFlush)
    }
  }

  /** Gives away buffers with the batch that is being collected. */
  transferNext(buffers: readonly ArrayBuffer[]): void {
    this.#batch.transfer.push(...buffers)
  }

  close(): void {
    this.#closed = true
    this.#watch.remove(this)
    this.#port.off('message', this.#onPortMessage)
    this.#batch.clear()
    this.#backlog.length = 0
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  readonly #onFlush = (): void => {
    this.#flushing = false
    if (this.#batch.size > 0) this.#flush()
  }

  #flush(): void {
    const batch = this.#batch
    let lost: Parameters<Receive>[] = []
    try {
      this.#writeBatch()
    } catch {
      lost = batch.sortOut()
      if (batch.size > 0) this.#writeBatch()
    } finally {
      batch.clear()
    }
    this.#wakeOther()
    this.#watch.sent()
    for (const message of lost) this.#lost(...message)
  }

  #writeBatch(): void {
    const batch = this.#batch
    const backlog = this.#backlog
    const outgoing = this.#outgoing
    const inOrder = backlog.length === 0
    const written = batch.transfer.length === 0 ? batch.writeTo(outgoing, inOrder) : undefined
    if (written !== true) this.#post(written, inOrder)
  }

  /** @param frame the written batch; `undefined` if the batch goes through the port */
  #post(frame: Uint8Array = fromPortFrame, inOrder: boolean): void {
    const batch = this.#batch
    if (frame === fromPortFrame) {
      this.#postBatch()
      if (inOrder && this.#outgoing.write(frame)) return
    }
    this.#backlog.push({ frame, entries: batch.size })
    this.#backlogEntries += batch.size
    // The watch asks for room before it sleeps.
    this.#watch.start()
  }

  #postBatch(): void {
    const batch = this.#batch
    const message = batch.toPort()
    try {
      // A transfer list that names a buffer twice would be refused.
      this.#port.postMessage(message, [...new Set(batch.transfer)] as unknown as TransferListItem[])
    } catch {
      // One of the buffers cannot change owner (memory of WebAssembly, for example). Nothing has been sent, so all are
      // copied.
      this.#port.postMessage(message)
    }
  }

  #wakeOther(): void {
    if (this.#bell.ring()) this.#port.postMessage(null)
  }

  #writeBacklog(): void {
    const before = this.#backlog.length
    while (this.#backlog.length > 0) {
      const { frame, entries } = this.#backlog[0]!
      if (!this.#outgoing.write(frame)) break
      this.#backlog.shift()
      this.#backlogEntries -= entries
    }
    if (this.#backlog.length < before) this.#wakeOther()
    if (this.#waiters.length > 0 && !this.congested) for (const waiter of this.#waiters.splice(0)) waiter()
  }

  readonly #onPortMessage = (batch: PortBatch | null): void => {
    if (batch !== null) this.#fromPort.push(batch)
    this.#watch.woken()
  }

  /** While a batch is expected from the port, frames behind its place in the ring have not arrived. */
  get arrived(): boolean {
    if (this.#backlog.length > 0 && this.#outgoing.hasRoom(this.#backlog[0]!.frame.byteLength)) return true
    return this.#portFramesAwaited > 0 ? this.#fromPort.length > 0 : !this.#incoming.empty
  }

  get leisureMs(): number {
    return this.#root.leisureMs
  }

  look(): number {
    if (this.#backlog.length > 0) this.#writeBacklog()
    const incoming = this.#incoming
    const receive = this.#receive
    let found = 0
    for (let frames = 0; frames < FRAMES_PER_LOOK && !this.#closed; frames++) {
      if (this.#portFramesAwaited > 0) {
        const batch = this.#fromPort.shift()
        if (batch === undefined) break
        this.#portFramesAwaited--
        found += deliverFromPort(batch, receive)
      } else {
        const at = incoming.next()
        if (at < 0) break
        const delivered = deliverFrame(incoming, at, receive)
        if (delivered === 0) this.#portFramesAwaited++
        found += delivered
      }
    }
    if (incoming.takeRoomWanted()) this.#wakeOther()
    return found
  }
}
