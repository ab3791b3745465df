import { type PacketView, sequenceOf, timestampIn } from '../wire/packet.ts'
import { widen } from '../wire/sequence.ts'

const MAX_EARLY_PACKETS = 64
/** One round of 16 bits up, so that numbers before the first one stay positive. */
const ROUND = 0x10000

/** Data that overtook the answer to our SYN. It cannot be placed before that answer says where the stream starts. */
export class EarlyPackets {
  #packets: Uint8Array[] = []

  get isEmpty(): boolean {
    return this.#packets.length === 0
  }

  /**
   * Keeps a packet.
   *
   * @returns whether it must be the first packet of the peer's stream: it was transmitted again, and no packet before
   * it was seen. A peer first retransmits its oldest unacknowledged packet, and here none is acknowledged. A duplicate
   * made by the network has the same timestamp.
   */
  hold(view: PacketView, bytes: Uint8Array): boolean {
    let isOldest = true
    let isRetransmitted = false
    const sequence = view.sequence + ROUND
    for (const packet of this.#packets) {
      const after = widen(sequenceOf(packet), sequence) - sequence
      if (after < 0) isOldest = false
      else if (after === 0) {
        if (timestampIn(packet) === view.timestamp) return false
        isRetransmitted = true
      }
    }
    if (!isRetransmitted && this.#packets.length < MAX_EARLY_PACKETS) this.#packets.push(bytes)
    return isRetransmitted && isOldest
  }

  /** The first sequence number of the stream, if the answer to our SYN says `answered`: earlier data knows better. */
  firstSequence(answered: number): number {
    const said = answered + ROUND
    let first = said
    for (const packet of this.#packets) first = Math.min(first, widen(sequenceOf(packet), said))
    return first
  }

  /** Takes the packets out, in the order of their arrival. */
  take(): readonly Uint8Array[] {
    const packets = this.#packets
    this.#packets = []
    return packets
  }
}
