import { DelayHistory } from './delay-history.ts'

/** A larger fall of the peer's base delay is a new route and not a clock that drifts (libutp: 10 ms). */
const MAX_CLOCK_SHIFT_MICROS = 10_000

/** The queuing delay of our packets, as the peer measures it, corrected for the drift between both clocks. */
export class PathDelay {
  readonly #ours = new DelayHistory()
  readonly #peers = new DelayHistory()

  /**
   * A packet arrived.
   *
   * @param measuredByPeer the delay of our packets, in microseconds; 0 if the peer did not measure
   * @param measuredHere the delay of this packet of the peer, in microseconds
   */
  onPacket(measuredByPeer: number, measuredHere: number, now: number): void {
    this.#compareClocks(measuredHere, now)
    if (measuredByPeer !== 0) this.#ours.add(measuredByPeer, now)
  }

  /** Microseconds; undefined before the first measure. */
  queuingMicros(): number | undefined {
    return this.#ours.isEmpty ? undefined : this.#ours.queuing()
  }

  /** The same. A one-way delay above the round trip shows that the base is too low, so it is raised (libutp). */
  queuingMicrosWithin(roundTripMs: number): number | undefined {
    const delay = this.queuingMicros()
    const most = roundTripMs * 1000
    if (delay === undefined || delay <= most) return delay
    this.#ours.shift(delay - most)
    return most
  }

  /**
   * If the peer's delay towards us falls, its clock runs slower than ours; our delay towards the peer then rises by as
   * much for that reason alone (libutp, "clock skew").
   */
  #compareClocks(measuredHere: number, now: number): void {
    const peers = this.#peers
    const isKnown = !peers.isEmpty
    const before = peers.base
    peers.add(measuredHere, now)
    const fall = before - peers.base
    if (isKnown && fall > 0 && fall <= MAX_CLOCK_SHIFT_MICROS) this.#ours.shift(fall)
  }
}
