/** The delay that LEDBAT aims at (BEP 29, "congestion control"). */
const TARGET_MICROS = 100_000
/** How much the window grows in one round trip at no delay, and falls at twice the target (libutp, same name). */
const MAX_CWND_INCREASE_BYTES_PER_RTT = 3000
/** RFC 6928. */
const INITIAL_PACKETS = 10
/** RFC 6817, MIN_CWND. */
const MIN_PACKETS = 2
/** Slow start ends a little before the target, so that it does not overshoot it by its next doubling (libutp). */
const SLOW_START_MICROS = 0.9 * TARGET_MICROS

/** What a loss leaves of the window: half where packets also queued, CUBIC's share (RFC 9438, 4.6) where they did not. */
const SHARE_AFTER_QUEUING = 0.5
const SHARE_AFTER_LOSS = 0.7
const QUEUING_MICROS = TARGET_MICROS / 4

/**
 * LEDBAT (RFC 6817, with BEP 29's numbers): the window grows while the queuing delay is below 100 ms and falls above it, shrinks on
 * loss, and doubles each round trip in slow start. Pure arithmetic: it knows no packets and no time.
 */
export class Congestion {
  windowBytes: number
  #thresholdBytes = Number.POSITIVE_INFINITY
  #slowStart = true
  #delayMicros = 0
  /** What a loss took, for the case that it was none. */
  #beforeLossBytes = 0
  #beforeLossThresholdBytes = 0
  #beforeLossSlowStart = false
  readonly #packetBytes: number
  readonly #maxBytes: number

  /** @param packetBytes payload of a full packet */
  constructor(packetBytes: number, maxBytes: number) {
    this.#packetBytes = packetBytes
    this.#maxBytes = Math.max(maxBytes, MIN_PACKETS * packetBytes)
    this.windowBytes = Math.min(INITIAL_PACKETS * packetBytes, this.#maxBytes)
  }

  get slowStart(): boolean {
    return this.#slowStart
  }

  /**
   * @param ackedBytes newly acknowledged
   * @param flightBytes in flight before the acknowledgement
   * @param delayMicros queuing delay; undefined where the peer did not measure
   */
  acknowledged(ackedBytes: number, flightBytes: number, delayMicros: number | undefined): void {
    const delay = delayMicros ?? 0
    this.#delayMicros = delay
    // A window that was not used is not known to be good for more (RFC 7661).
    const limited = 2 * flightBytes >= this.windowBytes
    if (this.#slowStart) {
      if (delay > SLOW_START_MICROS) {
        this.#slowStart = false
        this.#thresholdBytes = this.windowBytes
      } else if (limited) {
        this.#set(this.windowBytes + ackedBytes)
        if (this.windowBytes >= this.#thresholdBytes) this.#slowStart = false
        return
      }
    }
    // Above twice the target the window falls as fast as it may grow, not faster: a stalled event loop shows as seconds of delay.
    const offTarget = Math.max(-1, (TARGET_MICROS - delay) / TARGET_MICROS)
    if (offTarget > 0 && !limited) return
    const share = Math.min(1, ackedBytes / this.windowBytes)
    this.#set(this.windowBytes + MAX_CWND_INCREASE_BYTES_PER_RTT * offTarget * share)
  }

  /** At most once for each window of data. */
  lost(): void {
    this.#beforeLossBytes = this.windowBytes
    this.#beforeLossThresholdBytes = this.#thresholdBytes
    this.#beforeLossSlowStart = this.#slowStart
    this.#slowStart = false
    this.#set(this.windowBytes * (this.#delayMicros > QUEUING_MICROS ? SHARE_AFTER_QUEUING : SHARE_AFTER_LOSS))
    this.#thresholdBytes = this.windowBytes
  }

  /** The loss was a reordering: its packet had arrived. */
  undo(): void {
    if (this.#beforeLossBytes <= this.windowBytes) return
    this.#set(this.#beforeLossBytes)
    this.#thresholdBytes = this.#beforeLossThresholdBytes
    this.#slowStart = this.#beforeLossSlowStart
    this.#beforeLossBytes = 0
  }

  /** Nothing came back for a whole timeout: what we believed of the path is void. */
  timedOut(): void {
    this.#thresholdBytes = Math.max(this.windowBytes / 2, MIN_PACKETS * this.#packetBytes)
    this.#beforeLossBytes = 0
    this.#set(0)
    this.#slowStart = true
  }

  #set(bytes: number): void {
    this.windowBytes = Math.min(this.#maxBytes, Math.max(MIN_PACKETS * this.#packetBytes, bytes))
  }
}
