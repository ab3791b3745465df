/**
 * Data that comes before the answer to our SYN shows that the answer was lost: the SYN is repeated so often, at this distance, and the
 * data waits. A peer that answers repeated SYNs has answered then; one that does not (nim-eth) waits 3 s before it repeats its data.
 */
const REPETITIONS = 8
const REPETITION_MS = 100

/** How a stream begins: whose SYN came, what it is answered with, and whether the answer arrived. */
export class Handshake {
  /** The initiator's SYN, or the number that our answer to a SYN promises for our first data. */
  readonly firstSequence: number
  /** The acceptor's: a SYN came and was not answered yet. */
  answerWanted = false
  readonly #initiator: boolean
  /** The acceptor's: the peer's SYN, by which a repetition of it is known. */
  #synSequence = -1
  #answerArrived = false
  #repetitions = 0
  #repeatAt = Number.NEGATIVE_INFINITY

  constructor(initiator: boolean, firstSequence: number) {
    this.#initiator = initiator
    this.firstSequence = firstSequence
  }

  /** The acceptor's. `other`: the SYN of another conversation, which is not answered. */
  onSyn(sequence: number): 'first' | 'repeated' | 'other' {
    const first = this.#synSequence < 0
    if (!first && sequence !== this.#synSequence) return 'other'
    this.#synSequence = sequence
    this.answerWanted = true
    return first ? 'first' : 'repeated'
  }

  /** A segment came: the SYN is answered, ours or the peer's. Until then every ack of the acceptor may be taken for that answer. */
  onSegment(): void {
    this.#answerArrived = true
  }

  /** The number in an ack: that of our next data, which is `next`. */
  ackSequence(next: number): number {
    return this.#initiator || this.#answerArrived ? next : this.firstSequence
  }

  /** The initiator's: whether to repeat the SYN now, before its time. */
  takeRepetition(now: number, hasEarly: boolean): boolean {
    if (!hasEarly || this.#repetitions === REPETITIONS || now < this.#repeatAt) return false
    this.#repetitions++
    this.#repeatAt = now + REPETITION_MS
    return true
  }

  /** When that is to be asked again. */
  get deadline(): number {
    if (this.#answerArrived || this.#repetitions === 0 || this.#repetitions === REPETITIONS) return Infinity
    return this.#repeatAt
  }

  /**
   * The peer answers a SYN once, and that answer is lost: then its own data must tell where the stream begins. To believe that too soon
   * is to lose, without a word, the data before it that was lost as well.
   */
  isAnsweredOnce(now: number): boolean {
    return this.#repetitions === REPETITIONS && now >= this.#repeatAt
  }
}
