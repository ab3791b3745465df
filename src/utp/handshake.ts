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
  /** The SYN was sent twice: the peer may have answered the first, and answer no more. */
  synRepeated = false

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

  /** A segment came: the peer has our answer. Until then every ack of the acceptor may be taken for that answer. */
  onSegment(): void {
    this.#answerArrived = true
  }

  /** The number in an ack: that of our next data, which is `next`. */
  ackSequence(next: number): number {
    return this.#initiator || this.#answerArrived ? next : this.firstSequence
  }

  /** Whether to repeat the SYN before its time: once, when data shows that the answer to it was lost. */
  takeRepetition(hasEarly: boolean): boolean {
    if (!hasEarly || this.synRepeated) return false
    this.synRepeated = true
    return true
  }
}
