import type { Congestion } from './congestion.ts'
import type { SentPackets } from './sent-packets.ts'

/** What losses do to the congestion window: once for each window of data, and undone if all of them were spurious. */
export class LossRecovery {
  readonly #sent: SentPackets
  readonly #congestion: Congestion
  /** Losses before this sequence number belong to the present recovery. */
  #recoverUntil = -1
  #isAfterTimeout = false
  /** The counts of `sent` when the recovery began. */
  #lossesBefore = 0
  #spuriousBefore = 0
  /** Spurious losses that were taken note of. */
  #spuriousSeen = 0

  constructor(sent: SentPackets, congestion: Congestion) {
    this.#sent = sent
    this.#congestion = congestion
  }

  /** @param losses how many packets were declared lost just now */
  onLoss(losses: number): void {
    const sent = this.#sent
    if (sent.base <= this.#recoverUntil) return
    this.#recoverUntil = sent.next - 1
    this.#lossesBefore = sent.losses - losses
    this.#spuriousBefore = sent.spuriousLosses
    this.#congestion.lost()
  }

  /** @param isCongestion false if the peer's closed window explains the silence */
  onTimeout(isCongestion: boolean): void {
    if (isCongestion) this.#congestion.timedOut()
    this.#sent.declareAllLost()
    this.#recoverUntil = this.#sent.next
    this.#isAfterTimeout = true
  }

  onProgress(): void {
    const sent = this.#sent
    if (sent.spuriousLosses > this.#spuriousSeen) this.#onSpuriousLoss()
    if (sent.base > this.#recoverUntil) this.#isAfterTimeout = false
  }

  #onSpuriousLoss(): void {
    const sent = this.#sent
    this.#spuriousSeen = sent.spuriousLosses
    if (this.#isAfterTimeout) return
    sent.tolerateReordering()
    if (sent.spuriousLosses - this.#spuriousBefore >= sent.losses - this.#lossesBefore) this.#congestion.undo()
  }
}
