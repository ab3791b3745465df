import type { StreamLimits } from '../limits.ts'
import type { StreamEnd } from './ending.ts'
import { FINISHED } from './ending.ts'

/** How long a stream waits for what: a connection, the next packet, the peer's FIN, its end. The moments of `handle`, in milliseconds. */
export class Patience {
  /** Negative before the stream was opened. */
  openedAt = -1
  lastSentAt = 0
  readonly #limits: StreamLimits
  #finishBy = Infinity

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  open(now: number): void {
    this.openedAt = now
    this.lastSentAt = now
  }

  /** Ours is said and acknowledged: from the first call on the peer has so long to say the rest. */
  awaitFinish(now: number): void {
    if (this.#finishBy === Infinity) this.#finishBy = now + this.#limits.finishTimeoutMs
  }

  /** Why the stream is over by now; undefined while there is time. */
  overdue(now: number, established: boolean, lastHeardAt: number): StreamEnd | undefined {
    const { totalTimeoutMs, connectTimeoutMs, idleTimeoutMs } = this.#limits
    if (now >= this.openedAt + totalTimeoutMs)
      return { reason: 'STREAM_TIMEOUT', detail: `expected the end of the stream within ${totalTimeoutMs} ms` }
    if (!established) {
      if (now < this.openedAt + connectTimeoutMs) return undefined
      return { reason: 'STREAM_CONNECT_TIMEOUT', detail: `expected a connection within ${connectTimeoutMs} ms` }
    }
    if (now >= lastHeardAt + idleTimeoutMs)
      return { reason: 'STREAM_IDLE', detail: `expected a packet within ${idleTimeoutMs} ms` }
    return now >= this.#finishBy ? FINISHED : undefined
  }

  /** The peer was sent nothing for so long that it may take us for gone. */
  keepAliveDue(now: number): boolean {
    return now >= this.lastSentAt + this.#limits.keepAliveMs
  }

  /** The first moment at which one of the above says something else. */
  deadline(established: boolean, lastHeardAt: number): number {
    const { totalTimeoutMs, connectTimeoutMs, idleTimeoutMs, keepAliveMs } = this.#limits
    const end = this.openedAt + totalTimeoutMs
    if (!established) return Math.min(end, this.openedAt + connectTimeoutMs)
    return Math.min(end, lastHeardAt + idleTimeoutMs, this.lastSentAt + keepAliveMs, this.#finishBy)
  }
}
