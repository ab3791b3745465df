import { deserialize, serialize as serializeValue } from 'node:v8'
import { SpimplError } from '../errors.ts'
import type { SharedRing } from './shared-ring.ts'

/** A batch is sent when it has this many messages, or at the end of the turn of the event loop that began it. */
const MAX_ENTRIES = 256
/** Numbers of a message: lane, kind, id, message id and cause id. */
const NUMBERS = 5

/** Kinds of frames. A frame has its kind, the number of messages, the numbers of all messages, then their payloads. */
const FROM_PORT = 0
const TEXT = 1
const CLONES = 2
const HEADER_BYTES = 8

/** Takes one message that has arrived. */
export type Receive = (
  lane: number,
  kind: number,
  id: number,
  messageId: number,
  causeId: number,
  payload: unknown,
  /** JSON reproduces the payload exactly. */
  textual: boolean,
) => void

/** A batch in the form in which it goes through a port. */
export interface PortBatch {
  readonly numbers: Float64Array
  readonly payloads: readonly unknown[]
}

/** The frame that holds the place in the ring of a batch that goes through the port. */
export const fromPortFrame = new Uint8Array(new Int32Array([FROM_PORT, 0]).buffer)

/** Messages that are collected for another lane, and written in one go. */
export class LaneBatch {
  size = 0
  /** Buffers that change owner with the batch, which therefore must go through the port. */
  transfer: ArrayBuffer[] = []
  readonly #numbers = new Float64Array(MAX_ENTRIES * NUMBERS)
  #payloads: unknown[] = []
  /** JSON suffices for all payloads; V8 writes and reads it several times faster than its clone format. */
  #textual = true

  get full(): boolean {
    return this.size === MAX_ENTRIES
  }

  readonly push: Receive = (lane, kind, id, messageId, causeId, payload, textual) => {
    const numbers = this.#numbers
    const at = this.size++ * NUMBERS
    numbers[at] = lane
    numbers[at + 1] = kind
    numbers[at + 2] = id
    numbers[at + 3] = messageId
    numbers[at + 4] = causeId
    this.#payloads.push(payload)
    if (!textual) this.#textual = false
  }

  clear(): void {
    this.size = 0
    this.transfer = []
    this.#payloads = []
    this.#textual = true
  }

  /**
   * Writes the batch into the ring, if the ring has room now.
   * @returns otherwise the frame to write later; `undefined` if the frame is too long for this ring
   * @throws SpimplError `MESSAGE_NOT_CLONEABLE`
   */
  writeTo(ring: SharedRing, roomIsFree: boolean): true | Uint8Array | undefined {
    const head = HEADER_BYTES + this.size * NUMBERS * 8
    const text = this.#textual ? JSON.stringify(this.#payloads) : undefined
    if (text !== undefined && roomIsFree) {
      // UTF-8 takes at most three bytes for each UTF-16 unit of a string.
      const mostBytes = head + text.length * 3
      const at = mostBytes > ring.maxFrameBytes ? -1 : ring.claim(mostBytes)
      if (at >= 0) {
        ring.words[at >> 2] = TEXT
        ring.words[(at >> 2) + 1] = this.size
        const numbers = this.#numbers
        const { doubles } = ring
        const first = (at + HEADER_BYTES) >> 3
        for (let index = 0; index < this.size * NUMBERS; index++) doubles[first + index] = numbers[index]!
        ring.commit(head + ring.bytes.write(text, at + head, 'utf8'))
        return true
      }
    }
    const payloads = text === undefined ? serialize(this.#payloads) : Buffer.from(text)
    if (head + payloads.byteLength > ring.maxFrameBytes) return undefined
    const frame = Buffer.allocUnsafeSlow(head + payloads.byteLength)
    new Int32Array(frame.buffer, 0, 2).set([text === undefined ? CLONES : TEXT, this.size])
    new Float64Array(frame.buffer, HEADER_BYTES, this.size * NUMBERS).set(this.#ownNumbers)
    frame.set(payloads, head)
    return (roomIsFree && ring.write(frame)) || frame
  }

  /**
   * Takes out the messages that can no longer be written, because their sender changed them after sending, for example
   * gave the memory of a buffer away. The others remain in the batch.
   */
  sortOut(): Parameters<Receive>[] {
    const numbers = this.#numbers
    const payloads = this.#payloads
    const lost: Parameters<Receive>[] = []
    this.size = 0
    for (const [index, payload] of payloads.entries()) {
      const at = index * NUMBERS
      if (isWritable(payload)) {
        numbers.copyWithin(this.size * NUMBERS, at, at + NUMBERS)
        payloads[this.size++] = payload
      } else {
        lost.push([
          numbers[at]!,
          numbers[at + 1]!,
          numbers[at + 2]!,
          numbers[at + 3]!,
          numbers[at + 4]!,
          payload,
          false,
        ])
      }
    }
    payloads.length = this.size
    this.transfer = this.transfer.filter(buffer => !isDetached(buffer))
    return lost
  }

  /** The batch in the form in which it goes through the port. */
  toPort(): PortBatch {
    return { numbers: this.#ownNumbers.slice(), payloads: this.#payloads }
  }

  get #ownNumbers(): Float64Array {
    return this.#numbers.subarray(0, this.size * NUMBERS)
  }
}

/**
 * Delivers the frame that `ring.next` found, and releases it.
 * @returns how many messages it had; 0 if its batch comes through the port
 */
export function deliverFrame(ring: SharedRing, at: number, receive: Receive): number {
  try {
    const kind = ring.words[at >> 2]!
    if (kind === FROM_PORT) return 0
    const size = ring.words[(at >> 2) + 1]!
    const head = HEADER_BYTES + size * NUMBERS * 8
    const payloads = (
      kind === TEXT
        ? JSON.parse(ring.bytes.toString('utf8', at + head, at + ring.length))
        : deserialize(ring.copy(at).subarray(head))
    ) as unknown[]
    return deliverAll(ring.doubles, (at + HEADER_BYTES) >> 3, payloads, kind === TEXT, receive)
  } finally {
    ring.release()
  }
}

/** Delivers a batch that came through the port. @returns how many messages it had */
export function deliverFromPort({ numbers, payloads }: PortBatch, receive: Receive): number {
  return deliverAll(numbers, 0, payloads, false, receive)
}

function deliverAll(
  numbers: Float64Array,
  first: number,
  payloads: readonly unknown[],
  textual: boolean,
  receive: Receive,
): number {
  for (let index = 0, at = first; index < payloads.length; index++, at += NUMBERS) {
    receive(
      numbers[at]!,
      numbers[at + 1]!,
      numbers[at + 2]!,
      numbers[at + 3]!,
      numbers[at + 4]!,
      payloads[index],
      textual,
    )
  }
  return payloads.length
}

/** The memory of the buffer has another owner. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false
  try {
    // Node 20 has no `detached`.
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

function isWritable(payload: unknown): boolean {
  try {
    serialize([payload])
    return true
  } catch {
    return false
  }
}

function serialize(payloads: readonly unknown[]): Buffer {
  try {
    return serializeValue(payloads)
  } catch (error) {
    throw new SpimplError('MESSAGE_NOT_CLONEABLE', 'expected a message of plain data for another lane', {
      cause: error,
    })
  }
}
