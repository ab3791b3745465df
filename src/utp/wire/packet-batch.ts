import type { StreamErrorCode } from '../../errors.ts'
import {
  HEADER_BYTES,
  type PacketType,
  ST_RESET,
  ST_STATE,
  ST_SYN,
  stampHeader,
  timestampOf,
  writeHeader,
  writeSelectiveAckHead,
} from './packet.ts'
import { encodeResetReason } from './reset-reason.ts'
import { narrow } from './sequence.ts'

/** Large enough that allocation costs little for each packet, small enough to die young. */
const SLAB_BYTES = 32 * 1024

/** What a selective ack reports. */
export interface SelectiveAckSource {
  /** Packets that wait behind a gap; 0 for no selective ack. */
  readonly outOfOrderPackets: number
  writeMask(bytes: Uint8Array, at: number, maskBytes: number): void
}

/**
 * The packets that leave with one input. They share the moment, the ack number and the window. They are cut from slabs:
 * one allocation for some 28 full packets.
 */
export class PacketBatch {
  readonly #sendId: number
  #packets: Uint8Array[] = []
  #slab = new ArrayBuffer(0)
  #used = 0
  #timestamp = 0
  #difference = 0
  #windowBytes = 0
  #acknowledged = 0

  constructor(sendId: number) {
    this.#sendId = sendId
  }

  /** How many packets it holds. */
  get size(): number {
    return this.#packets.length
  }

  /** The header fields that all packets from now on share. `acknowledged` as on the wire. */
  begin(now: number, difference: number, windowBytes: number, acknowledged: number): void {
    this.#timestamp = timestampOf(now)
    this.#difference = difference
    this.#windowBytes = windowBytes
    this.#acknowledged = acknowledged
  }

  /**
   * Takes the packets out. The next ones come from a slab of their own, because a buffer changes owner with its
   * message.
   */
  take(): Uint8Array[] {
    const taken = this.#packets
    this.#packets = []
    this.#slab = new ArrayBuffer(0)
    this.#used = 0
    return taken
  }

  /** Drops the packets. */
  discard(): void {
    this.#packets = []
  }

  /** A packet with `length` payload bytes of `chunk` from `offset`. */
  add(type: PacketType, sequence: number, chunk: Uint8Array | undefined, offset: number, length: number): void {
    const bytes = this.#allocate(HEADER_BYTES + length)
    writeHeader(bytes, type, this.#sendId, narrow(sequence))
    stampHeader(bytes, this.#timestamp, this.#difference, this.#windowBytes, this.#acknowledged)
    if (chunk !== undefined && length > 0)
      bytes.set(length === chunk.length ? chunk : chunk.subarray(offset, offset + length), HEADER_BYTES)
    this.#packets.push(bytes)
  }

  /** An ack. `sequence` is that of the next new packet, which an ack does not use up. */
  addState(sequence: number, source: SelectiveAckSource, maskBytes: number): void {
    const hasMask = source.outOfOrderPackets > 0
    const bytes = this.#allocate(hasMask ? HEADER_BYTES + 2 + maskBytes : HEADER_BYTES)
    writeHeader(bytes, ST_STATE, this.#sendId, narrow(sequence))
    stampHeader(bytes, this.#timestamp, this.#difference, this.#windowBytes, this.#acknowledged)
    if (hasMask) {
      writeSelectiveAckHead(bytes, maskBytes)
      source.writeMask(bytes, HEADER_BYTES + 2, maskBytes)
    }
    this.#packets.push(bytes)
  }

  /** A SYN. It alone carries the id that the initiator receives with, and it acknowledges nothing. */
  addSyn(sequence: number, receiveId: number): void {
    const bytes = this.#allocate(HEADER_BYTES)
    writeHeader(bytes, ST_SYN, receiveId, narrow(sequence))
    stampHeader(bytes, this.#timestamp, 0, this.#windowBytes, 0)
    this.#packets.push(bytes)
  }

  /**
   * A RESET, which advertises no window and answers no timestamp. `acknowledged` as on the wire; `reason` as in
   * reset-reason.ts.
   */
  addReset(now: number, sequence: number, acknowledged: number, reason?: StreamErrorCode): void {
    this.begin(now, 0, 0, acknowledged)
    const payload = encodeResetReason(reason)
    this.add(ST_RESET, sequence, payload, 0, payload.length)
  }

  #allocate(bytes: number): Uint8Array {
    if (this.#used + bytes > this.#slab.byteLength) {
      // The first packet of a batch is often the only one: an ack.
      this.#slab = new ArrayBuffer(this.#packets.length === 0 ? bytes : Math.max(SLAB_BYTES, bytes))
      this.#used = 0
    }
    const view = new Uint8Array(this.#slab, this.#used, bytes)
    this.#used += bytes
    return view
  }
}
