/**
 * Data before the answer to our SYN shows that the answer was lost. Then the data waits, and the SYN is sent again this
 * often, at this interval. A peer that answers repeated SYNs has answered by then; one that does not (nim-eth) waits 3
 * s before it retransmits its data.
 */
const REPETITIONS = 8
const REPETITION_MS = 100

/** How a stream starts: whose SYN came, what answers it, and whether the answer arrived. */
export class Handshake {
  /**
   * Of the initiator: the number of its SYN. Of the acceptor: the number of its first data, which its answer promises.
   */
  readonly firstSequence: number
  readonly #initiator: boolean
  /** Of the acceptor: the number of the peer's SYN, by which its repetitions are known. */
  #synSequence = -1
  /** Of the acceptor: a SYN came that is not answered yet. */
  #answerWanted = false
  #answerArrived = false
  #repetitions = 0
  #repeatAt = Number.NEGATIVE_INFINITY

  constructor(initiator: boolean, firstSequence: number) {
    this.#initiator = initiator
    this.firstSequence = firstSequence
  }

  /** The acceptor's. `other` is the SYN of another stream, which gets no answer. */
  onSyn(sequence: number): 'first' | 'repeated' | 'other' {
    const isFirst = this.#synSequence < 0
    if (!isFirst && sequence !== this.#synSequence) return 'other'
    this.#synSequence = sequence
    this.#answerWanted = true
    return isFirst ? 'first' : 'repeated'
  }

  /** Whether the answer to a SYN is to leave with this input. */
  takeAnswerRequest(): boolean {
    const isWanted = this.#answerWanted
    this.#answerWanted = false
    return isWanted
  }

  /**
   * A segment came: the SYN is answered, ours or the peer's. Until then the peer may take any ack of the acceptor for
   * that answer.
   */
  onSegment(): void {
    this.#answerArrived = true
  }

  /** The sequence number in an ack: that of our next data, which is `next`. */
  ackSequence(next: number): number {
    return this.#initiator || this.#answerArrived ? next : this.firstSequence
  }

  /** The initiator's: whether to send the SYN again now, before its timeout. */
  takeRepetition(now: number, hasEarlyPackets: boolean): boolean {
    if (!hasEarlyPackets || this.#repetitions === REPETITIONS || now < this.#repeatAt) return false
    this.#repetitions++
    this.#repeatAt = now + REPETITION_MS
    return true
  }

  /** When to call `takeRepetition` again; Infinity for never. */
  get repeatAt(): number {
    if (this.#answerArrived || this.#repetitions === 0 || this.#repetitions === REPETITIONS) return Infinity
    return this.#repeatAt
  }

  /**
   * Whether the peer answers a SYN once only, and that answer was lost. Then its retransmitted data must tell where the
   * stream starts. If this is assumed too soon, data before it that was lost as well is missing without an error.
   */
  hasGivenUp(now: number): boolean {
    return this.#repetitions === REPETITIONS && now >= this.#repeatAt
  }
}
