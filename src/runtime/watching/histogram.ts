/** The figures of a histogram; durations in microseconds. */
export interface HistogramSummary {
  readonly count: number
  readonly meanMicroseconds: number
  readonly p50Microseconds: number
  readonly p99Microseconds: number
  readonly maxMicroseconds: number
}

const SUB_BITS = 2
const BUCKETS = 32 << SUB_BITS

/**
 * Durations in buckets of constant relative width, four to each doubling, so that a percentile is at most a fifth too
 * high. Covers 1 microsecond to over an hour in 512 bytes.
 */
export class Histogram {
  readonly #buckets = new Uint32Array(BUCKETS)
  #count = 0
  #sum = 0
  #max = 0

  record(durationMs: number): void {
    const microseconds = Math.min(Math.max(durationMs * 1000, 0), 0xffff_ffff)
    this.#buckets[bucketOf(microseconds)]!++
    this.#count++
    this.#sum += microseconds
    if (microseconds > this.#max) this.#max = microseconds
  }

  /** The upper edge of the bucket in which the share of all durations is reached, in microseconds. */
  percentile(share: number): number {
    let left = Math.ceil(this.#count * share)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#buckets[bucket]!
      if (left <= 0) return Math.min(upperEdge(bucket), this.#max)
    }
    return this.#max
  }

  summary(): HistogramSummary {
    const count = this.#count
    return {
      count,
      meanMicroseconds: count === 0 ? 0 : this.#sum / count,
      p50Microseconds: count === 0 ? 0 : this.percentile(0.5),
      p99Microseconds: count === 0 ? 0 : this.percentile(0.99),
      maxMicroseconds: this.#max,
    }
  }
}

function bucketOf(microseconds: number): number {
  const whole = Math.floor(microseconds) >>> 0
  if (whole < 1 << SUB_BITS) return whole
  const exponent = 31 - Math.clz32(whole)
  return ((exponent - SUB_BITS + 1) << SUB_BITS) + ((whole >>> (exponent - SUB_BITS)) & ((1 << SUB_BITS) - 1))
}

function upperEdge(bucket: number): number {
  if (bucket < 1 << SUB_BITS) return bucket + 1
  const exponent = (bucket >> SUB_BITS) + SUB_BITS - 1
  const step = 2 ** (exponent - SUB_BITS)
  return 2 ** exponent + ((bucket & ((1 << SUB_BITS) - 1)) + 1) * step
}

/** The two histograms of one actor, present only if its system is measured. */
export class ActorMetrics {
  readonly inMailbox = new Histogram()
  readonly inHandler = new Histogram()
}
