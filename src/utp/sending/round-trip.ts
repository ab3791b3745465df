/** A busy event loop must not look like a loss. */
const MIN_PROBE_MS = 20

/** The round-trip time and the retransmission timeout, after RFC 6298 with BEP 29's shortest timeout. */
export class RoundTrip {
  readonly #minTimeoutMs: number
  readonly #maxTimeoutMs: number
  #smoothedMs = 0
  #leastMs = Number.POSITIVE_INFINITY
  #variationMs = 0
  #timeoutMs: number
  #backOff = 1

  constructor(options: {
    readonly initialTimeoutMs: number
    readonly minTimeoutMs: number
    readonly maxTimeoutMs: number
  }) {
    this.#timeoutMs = options.initialTimeoutMs
    this.#minTimeoutMs = options.minTimeoutMs
    this.#maxTimeoutMs = options.maxTimeoutMs
  }

  /** 0 before the first sample. */
  get smoothedMs(): number {
    return this.#smoothedMs
  }

  /** The smallest sample; Infinity before the first one. */
  get leastMs(): number {
    return this.#leastMs
  }

  /** The retransmission timeout. */
  get timeoutMs(): number {
    return Math.min(this.#timeoutMs * this.#backOff, this.#maxTimeoutMs)
  }

  /** After this silence one packet asks whether the tail was lost, long before the timeout (RFC 8985, 7.2). */
  get probeMs(): number {
    if (this.#smoothedMs === 0) return this.timeoutMs
    return Math.max(2 * this.#smoothedMs + 2 * this.#variationMs, MIN_PROBE_MS)
  }

  /** Only packets that were sent once give a sample (Karn; BEP 29 "packet loss"). */
  sample(rttMs: number): void {
    if (rttMs < this.#leastMs) this.#leastMs = rttMs
    if (this.#smoothedMs === 0) {
      this.#smoothedMs = Math.max(rttMs, 0.001)
      this.#variationMs = rttMs / 2
    } else {
      this.#variationMs += (Math.abs(this.#smoothedMs - rttMs) - this.#variationMs) / 4
      this.#smoothedMs += (rttMs - this.#smoothedMs) / 8
    }
    this.#timeoutMs = Math.max(this.#smoothedMs + 4 * this.#variationMs, this.#minTimeoutMs)
  }

  /** A timeout: the next one waits twice as long. */
  backOff(): void {
    if (this.timeoutMs < this.#maxTimeoutMs) this.#backOff *= 2
  }

  /** The peer acknowledged something new. */
  progressed(): void {
    this.#backOff = 1
  }
}
