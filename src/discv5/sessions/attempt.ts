/** An opening packet or a handshake, which is sent again, byte for byte, until it is answered. */
export class Attempt {
  /** The nonce that a WHOAREYOU for this packet names; for a handshake, that of the WHOAREYOU it answers. */
  readonly nonce: Uint8Array
  readonly packet: Uint8Array
  /** The number in the sent log of the first message after this packet. */
  readonly order: number
  #timesSent = 0
  #challengedAt: number

  constructor(options: {
    readonly nonce: Uint8Array
    readonly packet: Uint8Array
    readonly order: number
    readonly now: number
  }) {
    this.nonce = options.nonce
    this.packet = options.packet
    this.order = options.order
    this.#challengedAt = options.now
  }

  get timesSent(): number {
    return this.#timesSent
  }

  /** When a challenge was last answered with this handshake. */
  get challengedAt(): number {
    return this.#challengedAt
  }

  /** It is sent once more. */
  sent(): void {
    this.#timesSent++
  }

  /** It answers a repetition of its challenge. */
  challengedAgain(now: number): void {
    this.#challengedAt = now
  }
}
