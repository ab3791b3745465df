/** Room for a small stream; a ring doubles while its window opens. */
export const FIRST_SLOTS = 64

/**
 * What is known of each packet between two sequence numbers: a ring indexed by the lower bits of the number, with one typed array a
 * field, so that an ack touches a few cache lines and allocates nothing. Its owner says what a state means, and which slots are in use.
 */
export class PacketRing {
  slots = FIRST_SLOTS
  /** `sequence & mask` is the slot. */
  mask = FIRST_SLOTS - 1
  state = new Uint8Array(FIRST_SLOTS)
  /** How often it was sent, at most 255. */
  sends = new Uint8Array(FIRST_SLOTS)
  types = new Uint8Array(FIRST_SLOTS)
  /** When it was sent last. */
  sentAt = new Float64Array(FIRST_SLOTS)
  /** The payload: `lengths` bytes of `chunks` from `offsets`. */
  lengths = new Int32Array(FIRST_SLOTS)
  offsets = new Int32Array(FIRST_SLOTS)
  chunks: (Uint8Array | undefined)[] = new Array(FIRST_SLOTS).fill(undefined)

  /** Doubles the ring, which holds the packets from `base` to before `next`. */
  grow(base: number, next: number): void {
    const { mask: oldMask, state, sends, types, sentAt, lengths, offsets, chunks } = this
    const slots = this.slots * 2
    this.slots = slots
    this.mask = slots - 1
    this.state = new Uint8Array(slots)
    this.sends = new Uint8Array(slots)
    this.types = new Uint8Array(slots)
    this.sentAt = new Float64Array(slots)
    this.lengths = new Int32Array(slots)
    this.offsets = new Int32Array(slots)
    this.chunks = new Array(slots).fill(undefined)
    for (let sequence = base; sequence < next; sequence++) {
      const from = sequence & oldMask
      const to = sequence & this.mask
      this.state[to] = state[from] as number
      this.sends[to] = sends[from] as number
      this.types[to] = types[from] as number
      this.sentAt[to] = sentAt[from] as number
      this.lengths[to] = lengths[from] as number
      this.offsets[to] = offsets[from] as number
      this.chunks[to] = chunks[from]
    }
  }

  /** Lets go of the payloads. The ring is not used afterwards. */
  clear(): void {
    this.chunks = []
  }
}
