import type { PingPayload } from '../wire/ping-extension.ts'
import { covers, radiusBytes, radiusOf } from './radius.ts'

/** Unanswered requests within this time count as one silence: they were probably lost together. */
const SILENCE_MS = 2_000

/** How long a node that declined with code 4 (no room) is offered to last. */
const BUSY_MS = 10_000

/** What we know of one node from its pings, and from whether it answers. */
export class Profile {
  /** 32 bytes, big-endian. */
  #radius: Uint8Array | undefined
  #capabilities: readonly number[] = []
  #clientInfo: string | undefined
  #isIntroduced = false
  #silences = 0
  #silentAt = Number.NEGATIVE_INFINITY
  #busyUntil = Number.NEGATIVE_INFINITY
  /** The highest `seq` for which its record was fetched, and when. */
  #fetchedSeq = 0n
  #fetchedAt = Number.NEGATIVE_INFINITY
  #pingedAt = Number.NEGATIVE_INFINITY

  /** Undefined until a ping or pong names it, and again after an offer showed that it is stale. */
  get radius(): bigint | undefined {
    return this.#radius === undefined ? undefined : radiusOf(this.#radius)
  }

  get hasRadius(): boolean {
    return this.#radius !== undefined
  }

  get clientInfo(): string | undefined {
    return this.#clientInfo
  }

  /** Silences in a row. */
  get silences(): number {
    return this.#silences
  }

  get pingedAt(): number {
    return this.#pingedAt
  }

  /**
   * The payload type of our next ping to it: 1 if it announced that type and has answered a ping of type 0 before,
   * which must be the first (ping-extensions/README.md).
   */
  get nextPingType(): 0 | 1 {
    return this.#isIntroduced && this.#capabilities.includes(1) ? 1 : 0
  }

  /** Whether its radius is known and covers the content. */
  covers(nodeId: Uint8Array, contentId: Uint8Array): boolean {
    return this.#radius !== undefined && covers(this.#radius, nodeId, contentId)
  }

  isBusy(now: number): boolean {
    return this.#busyUntil > now
  }

  /** @returns whether this is a silence of its own, and not part of the one before */
  countSilence(now: number): boolean {
    if (now - this.#silentAt < SILENCE_MS) return false
    this.#silentAt = now
    this.#silences += 1
    return true
  }

  /** It answered, or gets a new chance. */
  resetSilences(): void {
    this.#silences = 0
  }

  pinged(now: number): void {
    this.#pingedAt = now
  }

  /** It answered a ping of ours with this payload. An error payload ends the introduction. */
  answeredPing(payload: PingPayload): void {
    const { payloadType } = payload
    this.#isIntroduced = payloadType === 0 || (payloadType === 1 && this.#isIntroduced)
    this.learn(payload)
  }

  /** A ping or pong of the node said this. */
  learn(payload: PingPayload): void {
    if (payload.payloadType === 65535) return
    this.#radius = radiusBytes(payload.radius)
    if (payload.payloadType !== 0) return
    this.#capabilities = payload.capabilities
    this.#clientInfo = payload.clientInfo
  }

  /** It declined content that the radius we knew covers (code 3). */
  radiusIsStale(): void {
    this.#radius = undefined
  }

  /** It declined content for lack of room (code 4). */
  isOutOfRoom(now: number): void {
    this.#busyUntil = now + BUSY_MS
  }

  /**
   * The node named the `seq` of its record, which is above the one we hold.
   *
   * @param retryMs after this time the same record is fetched once more
   * @returns whether to fetch it now
   */
  shouldFetchRecord(seq: bigint, now: number, retryMs: number): boolean {
    if (seq <= this.#fetchedSeq && now - this.#fetchedAt < retryMs) return false
    this.#fetchedSeq = seq
    this.#fetchedAt = now
    return true
  }
}
