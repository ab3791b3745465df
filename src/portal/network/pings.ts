import { type Result, refused } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Members } from '../knowledge/members.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Failure } from '../messages.ts'
import type { Requests } from '../waiting/requests.ts'
import {
  decodePingPayload,
  encodePingPayload,
  ownCapabilities,
  type PingPayload,
  payloadTypes,
} from '../wire/ping-extension.ts'

/** A PONG whose payload was understood, which may be an error payload. */
export type Pong =
  | { readonly ok: true; readonly enrSeq: bigint; readonly payload: PingPayload }
  | ({ readonly ok: false } & Failure)

/** The pings that fill the routing table and keep it true, and those of users (ping-extensions/README.md). */
export class Pings {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #requests: Requests

  constructor(state: OverlayState, members: Members, requests: Requests) {
    this.#state = state
    this.#members = members
    this.#requests = requests
  }

  /** The check of a member or candidate is due. */
  check(node: NodeRecord): void {
    const record = this.#members.takeDue(node)
    const failure = this.send(record, undefined, pong => this.#members.checked(record, pong.ok))
    if (failure?.code === 'REQUEST_LIMIT') this.#members.postponeCheck(record)
  }

  /**
   * Sends a ping.
   *
   * @param payload default: our own, of the type that the node understands
   * @param ref of the call that wants it, if any
   * @returns why it could not be sent; `settle` is not called then
   */
  send(
    to: NodeRecord,
    payload: PingPayload | undefined,
    settle: (pong: Pong) => void,
    ref?: number,
  ): Failure | undefined {
    const { profiles, record, turn } = this.#state
    const profile = profiles.of(to.nodeIdHex)
    const sent = payload ?? this.ownPayload(profile.nextPingType)
    profile.pinged(turn.now)
    const { payloadType } = sent
    const message = { type: 'ping', enrSeq: record.seq, payloadType, payload: encodePingPayload(sent) } as const
    return this.#requests.send(
      to,
      message,
      answer => {
        if (!answer.ok) return settle(answer)
        const { enrSeq } = answer.message
        this.announcedSeq(to, enrSeq)
        const decoded = this.#readPong(payloadType, answer.message.payloadType, answer.message.payload)
        if (!decoded.ok) return settle(decoded)
        profiles.of(to.nodeIdHex).answeredPing(decoded.value)
        settle({ ok: true, enrSeq, payload: decoded.value })
      },
      { ref },
    )
  }

  /** A pong has the payload type of its ping, or is an error. */
  #readPong(asked: number, payloadType: number, bytes: Uint8Array): Result<PingPayload> {
    const { counters } = this.#state
    if (payloadType !== asked && payloadType !== payloadTypes.error) {
      counters.add('malformed.pong.type')
      return refused('PORTAL_PAYLOAD_MALFORMED', `expected a pong of type ${asked}, got ${payloadType}`)
    }
    const decoded = decodePingPayload(payloadType, bytes)
    if (decoded.ok) {
      if (decoded.value.payloadType === payloadTypes.error) counters.add('pong.error')
    } else counters.add(`malformed.pong.${decoded.code === 'PORTAL_PAYLOAD_MALFORMED' ? decoded.detail : 'type'}`)
    return decoded
  }

  /** What a ping or pong of ours of this type says. */
  ownPayload(payloadType: 0 | 1): PingPayload {
    const { clientInfo } = this.#state
    const radius = this.#state.radius.value
    return payloadType === 1
      ? { payloadType, radius }
      : { payloadType, clientInfo, radius, capabilities: ownCapabilities }
  }

  /**
   * A ping or pong of the node named the `seq` of its record: if it is above the one we hold, the record is fetched.
   */
  announcedSeq(node: NodeRecord, seq: bigint): void {
    const { table, profiles, limits, turn } = this.#state
    const known = table.get(node.nodeIdHex)?.record ?? node
    if (seq <= known.seq) return
    // Once for each record, and again if that did not bring it.
    if (!profiles.of(node.nodeIdHex).shouldFetchRecord(seq, turn.now, limits.pingIntervalMs)) return
    turn.emit({ type: 'fetch-record', known, seq })
  }
}
