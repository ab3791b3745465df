/** The round-trip time and the retransmission timeout, after RFC 6298 with BEP 29's least timeout. */
export class RoundTrip {
  /** Smoothed; 0 before the first sample. */
  smoothedMs = 0
  leastMs = Number.POSITIVE_INFINITY
  #variationMs = 0
  #timeoutMs: number
  #backOff = 1
  readonly #minTimeoutMs: number
  readonly #maxTimeoutMs: number

  constructor(options: {
    readonly initialTimeoutMs: number
    readonly minTimeoutMs: number
    readonly maxTimeoutMs: number
  }) {
    this.#timeoutMs = options.initialTimeoutMs
    this.#minTimeoutMs = options.minTimeoutMs
    this.#maxTimeoutMs = options.maxTimeoutMs
  }

  get timeoutMs(): number {
    return Math.min(this.#timeoutMs * this.#backOff, this.#maxTimeoutMs)
  }

  /**
   * When to ask with one packet whether the tail was lost, long before the timeout would (RFC 8985, 7.2). The floor keeps a busy event
   * loop from being taken for a loss.
   */
  get probeMs(): number {
    if (this.smoothedMs === 0) return this.timeoutMs
    return Math.max(2 * this.smoothedMs + 2 * this.#variationMs, 20)
  }

  /** Only packets that were sent once may be measured (Karn; BEP 29 "packet loss"). */
  sample(rttMs: number): void {
    if (rttMs < this.leastMs) this.leastMs = rttMs
    if (this.smoothedMs === 0) {
      this.smoothedMs = Math.max(rttMs, 0.001)
      this.#variationMs = rttMs / 2
    } else {
      this.#variationMs += (Math.abs(this.smoothedMs - rttMs) - this.#variationMs) / 4
      this.smoothedMs += (rttMs - this.smoothedMs) / 8
    }
    this.#timeoutMs = Math.max(this.smoothedMs + 4 * this.#variationMs, this.#minTimeoutMs)
  }

  backOff(): void {
    if (this.timeoutMs < this.#maxTimeoutMs) this.#backOff *= 2
  }

  /** The peer acknowledged something new. */
  progressed(): void {
    this.#backOff = 1
  }
}
