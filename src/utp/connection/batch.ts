import type { StreamErrorCode } from '../../errors.ts'
import type { Received } from '../receiving/received.ts'
import {
  HEADER_BYTES,
  type PacketType,
  ST_RESET,
  ST_STATE,
  stampHeader,
  timestampOf,
  writeHeader,
  writeSelectiveAckHead,
} from '../wire/packet.ts'
import { encodeResetReason } from '../wire/reset-reason.ts'
import { narrow } from '../wire/sequence.ts'

/** Large enough that allocation costs little for each packet, small enough to die young. */
const SLAB_BYTES = 32 * 1024

/**
 * Builds the packets that leave with one input. They share the moment, the ack number and the window, and are cut from slabs: one
 * allocation for some 28 full packets.
 */
export class PacketBatch {
  packets: Uint8Array[] = []
  readonly #sendId: number
  #slab = new ArrayBuffer(0)
  #used = 0
  #timestamp = 0
  #difference = 0
  #windowBytes = 0
  #acknowledged = 0

  constructor(sendId: number) {
    this.#sendId = sendId
  }

  /** What every packet of this batch will say. `acknowledged` as on the wire. */
  begin(now: number, difference: number, windowBytes: number, acknowledged: number): void {
    this.#timestamp = timestampOf(now)
    this.#difference = difference
    this.#windowBytes = windowBytes
    this.#acknowledged = acknowledged
  }

  /** Takes the packets; the next ones come from a slab of their own, because a buffer changes owner with its message. */
  take(): Uint8Array[] {
    const taken = this.packets
    this.packets = []
    this.#slab = new ArrayBuffer(0)
    this.#used = 0
    return taken
  }

  /** A packet with `length` payload bytes of `chunk` from `at`. */
  add(type: PacketType, sequence: number, chunk: Uint8Array | undefined, at: number, length: number): void {
    const bytes = this.#allocate(HEADER_BYTES + length)
    writeHeader(bytes, type, this.#sendId, narrow(sequence))
    stampHeader(bytes, this.#timestamp, this.#difference, this.#windowBytes, this.#acknowledged)
    if (chunk !== undefined && length > 0)
      bytes.set(length === chunk.length ? chunk : chunk.subarray(at, at + length), HEADER_BYTES)
    this.packets.push(bytes)
  }

  /** An ack; `sequence` is the number of the next packet with data, which an ack does not use up. */
  addState(sequence: number, received: Received, maskBytes: number): void {
    const withMask = received.aheadPackets > 0
    const bytes = this.#allocate(withMask ? HEADER_BYTES + 2 + maskBytes : HEADER_BYTES)
    writeHeader(bytes, ST_STATE, this.#sendId, narrow(sequence))
    stampHeader(bytes, this.#timestamp, this.#difference, this.#windowBytes, this.#acknowledged)
    if (withMask) {
      writeSelectiveAckHead(bytes, maskBytes)
      received.writeMask(bytes, HEADER_BYTES + 2, maskBytes)
    }
    this.packets.push(bytes)
  }

  /** A SYN: it alone carries the initiator's receiving id, and acknowledges nothing. */
  addSyn(type: PacketType, sequence: number, receiveId: number): void {
    const bytes = this.#allocate(HEADER_BYTES)
    writeHeader(bytes, type, receiveId, narrow(sequence))
    stampHeader(bytes, this.#timestamp, 0, this.#windowBytes, 0)
    this.packets.push(bytes)
  }

  /** A RESET, which tells of no window and answers no timestamp. `acknowledged` as on the wire; `reason` as reset-reason.ts has it. */
  addReset(now: number, sequence: number, acknowledged: number, reason?: StreamErrorCode): void {
    this.begin(now, 0, 0, acknowledged)
    const payload = encodeResetReason(reason)
    this.add(ST_RESET, sequence, payload, 0, payload.length)
  }

  #allocate(bytes: number): Uint8Array {
    if (this.#used + bytes > this.#slab.byteLength) {
      // The first packet of a batch is often the only one: an ack.
      this.#slab = new ArrayBuffer(this.packets.length === 0 ? bytes : Math.max(SLAB_BYTES, bytes))
      this.#used = 0
    }
    const view = new Uint8Array(this.#slab, this.#used, bytes)
    this.#used += bytes
    return view
  }
}
