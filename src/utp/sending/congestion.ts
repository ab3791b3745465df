/** The queuing delay that LEDBAT aims at (BEP 29, "congestion control"). */
const TARGET_MICROS = 100_000
/** How much the window grows in one round trip without delay, and shrinks at twice the target (libutp, same name). */
const MAX_CWND_INCREASE_BYTES_PER_RTT = 3000
/** RFC 6928. */
const INITIAL_PACKETS = 10
/** RFC 6817, MIN_CWND. */
const MIN_PACKETS = 2
/** Slow start ends a little before the target, so that its next doubling does not overshoot (libutp). */
const SLOW_START_MICROS = 0.9 * TARGET_MICROS

/** What a loss leaves of the window: half if packets also queued, CUBIC's share (RFC 9438, 4.6) if they did not. */
const SHARE_AFTER_QUEUING = 0.5
const SHARE_AFTER_LOSS = 0.7
const QUEUING_MICROS = TARGET_MICROS / 4

/**
 * LEDBAT (RFC 6817, with BEP 29's numbers): the window grows while the queuing delay is below 100 ms and shrinks above
 * it, shrinks on loss, and doubles each round trip in slow start. Pure arithmetic: it knows no packets and no time.
 */
export class Congestion {
  readonly #packetBytes: number
  readonly #maxBytes: number
  #windowBytes: number
  #thresholdBytes = Number.POSITIVE_INFINITY
  #slowStart = true
  #delayMicros = 0
  /** The state before the last loss, in case that loss was spurious. */
  #beforeLossBytes = 0
  #beforeLossThresholdBytes = 0
  #beforeLossSlowStart = false

  /** @param packetBytes payload of a full packet */
  constructor(packetBytes: number, maxBytes: number) {
    this.#packetBytes = packetBytes
    this.#maxBytes = Math.max(maxBytes, MIN_PACKETS * packetBytes)
    this.#windowBytes = Math.min(INITIAL_PACKETS * packetBytes, this.#maxBytes)
  }

  /** Bytes that may be in flight. */
  get windowBytes(): number {
    return this.#windowBytes
  }

  get slowStart(): boolean {
    return this.#slowStart
  }

  /**
   * @param ackedBytes newly acknowledged
   * @param flightBytes in flight before the acknowledgement
   * @param delayMicros queuing delay; undefined if the peer did not measure
   */
  acknowledged(ackedBytes: number, flightBytes: number, delayMicros: number | undefined): void {
    const delay = delayMicros ?? 0
    this.#delayMicros = delay
    // A window that was not used has not shown that it could be larger (RFC 7661).
    const isLimiting = 2 * flightBytes >= this.#windowBytes
    if (this.#slowStart) {
      if (delay > SLOW_START_MICROS) {
        this.#slowStart = false
        this.#thresholdBytes = this.#windowBytes
      } else if (isLimiting) {
        this.#set(this.#windowBytes + ackedBytes)
        if (this.#windowBytes >= this.#thresholdBytes) this.#slowStart = false
        return
      }
    }
    // Above twice the target the window shrinks as fast as it may grow, not faster: a stalled event loop looks like
    // seconds of delay.
    const offTarget = Math.max(-1, (TARGET_MICROS - delay) / TARGET_MICROS)
    if (offTarget > 0 && !isLimiting) return
    const share = Math.min(1, ackedBytes / this.#windowBytes)
    this.#set(this.#windowBytes + MAX_CWND_INCREASE_BYTES_PER_RTT * offTarget * share)
  }

  /** Call it at most once for each window of data. */
  lost(): void {
    this.#beforeLossBytes = this.#windowBytes
    this.#beforeLossThresholdBytes = this.#thresholdBytes
    this.#beforeLossSlowStart = this.#slowStart
    this.#slowStart = false
    this.#set(this.#windowBytes * (this.#delayMicros > QUEUING_MICROS ? SHARE_AFTER_QUEUING : SHARE_AFTER_LOSS))
    this.#thresholdBytes = this.#windowBytes
  }

  /** The last loss was spurious: its packets were reordered and had arrived. */
  undo(): void {
    if (this.#beforeLossBytes <= this.#windowBytes) return
    this.#set(this.#beforeLossBytes)
    this.#thresholdBytes = this.#beforeLossThresholdBytes
    this.#slowStart = this.#beforeLossSlowStart
    this.#beforeLossBytes = 0
  }

  /** No ack for a whole timeout: all knowledge of the path is stale. */
  timedOut(): void {
    this.#thresholdBytes = Math.max(this.#windowBytes / 2, MIN_PACKETS * this.#packetBytes)
    this.#beforeLossBytes = 0
    this.#set(0)
    this.#slowStart = true
  }

  #set(bytes: number): void {
    this.#windowBytes = Math.min(this.#maxBytes, Math.max(MIN_PACKETS * this.#packetBytes, bytes))
  }
}
