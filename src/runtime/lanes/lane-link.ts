import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads'
import { SpimplError } from '../../errors.ts'
import type { SharedRing } from './shared-ring.ts'

/** One message between lanes, flat in the array of its batch. */
const ENTRY_FIELDS = 6

export const TELL = 0
export const TELL_STAND_IN = 1
export const ANSWER = 2
export const REFUSE = 3
export const SPAWN = 4
export const STOP = 5
export const ENDED = 6
export const PIN = 7
export const PINNED = 8

/** Takes one message that came. */
export type Receive = (
  lane: number,
  kind: number,
  id: number,
  messageId: number,
  causeId: number,
  payload: unknown,
) => void

const BATCH = 0
const FROM_PORT = 1
const TEXT = 2

/** A batch is sent when it has so many messages, or when the turn of the event loop that began it ends. */
const BATCH_ENTRIES = 256
/** How many messages may wait for room in the ring before the senders are held. */
const CONGESTED_ENTRIES = 16_384
/** So many frames are read before others have their turn. */
const FRAMES_PER_LOOK = 64

interface PortMessage {
  readonly batch: unknown[]
}

/**
 * The way between two lanes. Batches go through a ring in shared memory; what is too large for it, or is to change owner,
 * goes through the port, and a frame in the ring keeps its place, so that order holds over both.
 */
export class LaneLink {
  private readonly incoming: SharedRing
  private readonly outgoing: SharedRing
  private readonly port: MessagePort | Worker
  private readonly receive: Receive
  private batch: unknown[] = []
  /** Nothing of the batch needs more than JSON, which V8 writes and reads several times faster than its clone format. */
  private textual = true
  private transfer: ArrayBuffer[] = []
  private readonly backlog: { readonly frame: Uint8Array; readonly entries: number }[] = []
  private backlogEntries = 0
  private readonly fromPort: unknown[][] = []
  private portFramesAwaited = 0
  private flushing = false
  private polling = false
  private closed = false
  private waiters: (() => void)[] = []

  constructor(incoming: SharedRing, outgoing: SharedRing, port: MessagePort | Worker, receive: Receive) {
    this.incoming = incoming
    this.outgoing = outgoing
    this.port = port
    this.receive = receive
    port.on('message', this.onPortMessage)
    // The other side may have written before there was anybody to wake.
    this.startPolling()
  }

  /** The other side does not keep up: hold those who send. */
  get congested(): boolean {
    return this.backlogEntries > CONGESTED_ENTRIES
  }

  /** Settles when the link is not congested any more, or closed. */
  drained(): Promise<void> {
    if (!this.congested || this.closed) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  /**
   * @param payload plain data: references are encoded already
   * @param textual JSON gives the payload back as it is
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
    if (this.closed) return
    if (!textual) this.textual = false
    this.batch.push(lane, kind, id, messageId, causeId, payload)
    if (this.batch.length >= BATCH_ENTRIES * ENTRY_FIELDS) {
      this.flush()
    } else if (!this.flushing) {
      this.flushing = true
      queueMicrotask(this.onFlush)
    }
  }

  /** These change owner with the batch that is being collected. */
  transferNext(buffers: readonly ArrayBuffer[]): void {
    this.transfer.push(...buffers)
  }

  close(): void {
    this.closed = true
    this.port.off('message', this.onPortMessage)
    this.batch = []
    this.backlog.length = 0
    for (const waiter of this.waiters.splice(0)) waiter()
  }

  private readonly onFlush = (): void => {
    this.flushing = false
    if (this.batch.length > 0) this.flush()
  }

  private flush(): void {
    const { batch, transfer, textual } = this
    this.batch = []
    this.textual = true
    if (this.closed) return
    let frame: Uint8Array | undefined
    if (transfer.length === 0) {
      frame = textual ? Buffer.from(`\u0002${JSON.stringify(batch)}`) : serialize(batch)
      if (frame.byteLength > this.outgoing.maxFrameBytes) frame = undefined
    } else {
      this.transfer = []
    }
    if (frame === undefined) {
      const message: PortMessage = { batch }
      this.port.postMessage(message, transfer as unknown as TransferListItem[])
      frame = Uint8Array.of(FROM_PORT)
    }
    this.write(frame, batch.length / ENTRY_FIELDS)
    this.startPolling()
  }

  private write(frame: Uint8Array, entries: number): void {
    if (this.backlog.length > 0 || !this.outgoing.write(frame)) {
      this.backlog.push({ frame, entries })
      this.backlogEntries += entries
      return
    }
    if (this.outgoing.takeSleeping()) this.port.postMessage(null)
  }

  private writeBacklog(): void {
    while (this.backlog.length > 0) {
      const { frame, entries } = this.backlog[0]!
      if (!this.outgoing.write(frame)) break
      this.backlog.shift()
      this.backlogEntries -= entries
    }
    if (this.outgoing.takeSleeping()) this.port.postMessage(null)
    if (this.waiters.length > 0 && !this.congested) for (const waiter of this.waiters.splice(0)) waiter()
  }

  private readonly onPortMessage = (message: PortMessage | null): void => {
    if (message !== null) this.fromPort.push(message.batch)
    this.startPolling()
    this.look()
  }

  private startPolling(): void {
    if (this.polling || this.closed) return
    this.polling = true
    this.incoming.awake()
    setImmediate(this.onPoll)
  }

  /**
   * Looks as long as something comes, with I/O in between, and then sleeps at once: to go on looking for a while was faster
   * on an idle machine and several times slower on one whose processors are all busy.
   */
  private readonly onPoll = (): void => {
    if (this.closed) return
    const came = this.look()
    if (this.backlog.length > 0) this.writeBacklog()
    if (!came && this.backlog.length === 0) {
      this.incoming.sleep()
      if (this.incoming.empty) {
        this.polling = false
        return
      }
      this.incoming.awake()
    }
    setImmediate(this.onPoll)
  }

  /** @returns whether anything was there */
  private look(): boolean {
    let frames = 0
    while (frames < FRAMES_PER_LOOK && !this.closed) {
      if (this.portFramesAwaited > 0) {
        const batch = this.fromPort.shift()
        if (batch === undefined) return frames > 0
        this.portFramesAwaited--
        this.deliver(batch)
        frames++
        continue
      }
      const frame = this.incoming.read()
      if (frame === undefined) break
      frames++
      if (frame[0] === FROM_PORT) this.portFramesAwaited++
      else if (frame[0] === TEXT) this.deliver(JSON.parse(frame.toString('utf8', 1)) as unknown[])
      else this.deliver(deserialize(frame))
    }
    return frames > 0
  }

  private deliver(batch: readonly unknown[]): void {
    for (let at = 0; at < batch.length; at += ENTRY_FIELDS) {
      this.receive(
        batch[at] as number,
        batch[at + 1] as number,
        batch[at + 2] as number,
        batch[at + 3] as number,
        batch[at + 4] as number,
        batch[at + 5],
      )
    }
  }
}

/** @throws SpimplError `MESSAGE_NOT_CLONEABLE` */
function serialize(batch: readonly unknown[]): Buffer {
  const serializer = new DefaultSerializer()
  serializer.writeRawBytes(Uint8Array.of(BATCH, 0, 0, 0, 0, 0, 0, 0))
  serializer.writeHeader()
  try {
    serializer.writeValue(batch)
  } catch (error) {
    throw new SpimplError('MESSAGE_NOT_CLONEABLE', 'expected a message of plain data for another lane', {
      cause: error,
    })
  }
  return serializer.releaseBuffer()
}

function deserialize(frame: Buffer): unknown[] {
  const deserializer = new DefaultDeserializer(frame.subarray(8))
  deserializer.readHeader()
  return deserializer.readValue() as unknown[]
}
