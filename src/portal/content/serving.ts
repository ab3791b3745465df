import type { TalkToken } from '../../discv5/messages.ts'
import type { Slot } from '../../discv5/table/routing-table.ts'
import { Tally } from '../../discv5/table/tally.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { mayTell, packRecords } from '../knowledge/relayed-records.ts'
import type { Member, OverlayState } from '../knowledge/state.ts'
import type { Members } from '../network/members.ts'
import type { ContentName, Turn } from '../overlay-messages.ts'
import type { Questions } from '../waiting/questions.ts'
import type { Transfers } from '../waiting/transfers.ts'
import {
  CONTENT_RECORDS_OVERHEAD_BYTES,
  decodeMessage,
  encodeMessage,
  MAX_INLINE_BYTES,
  MAX_RECORDS,
  MAX_TALK_RESPONSE_BYTES,
  NODES_OVERHEAD_BYTES,
  type Ping,
  type PortalMessage,
} from '../wire/message.ts'
import { decodePingPayload, encodePingPayload, type PingPayload, pingErrorCodes } from '../wire/ping-extension.ts'
import { prefixesFoundContent } from '../wire/version.ts'
import type { IncomingOffers } from './incoming-offers.ts'

const NOTHING = new Uint8Array(0)

export interface ServingParts {
  readonly state: OverlayState
  readonly members: Members
  readonly questions: Questions
  readonly transfers: Transfers
  readonly offers: IncomingOffers
}

/**
 * Requests of others. Every one is answered once; what cannot be understood, with nothing (portal-wire-protocol.md).
 */
export class Serving {
  readonly #parts: ServingParts
  #bytes = 0
  /** Reads of the store that are under way: all, and by who asked. */
  #reads = 0
  readonly #readsOfPeer = new Tally()

  constructor(parts: ServingParts) {
    this.#parts = parts
  }

  requested(turn: Turn, from: NodeRecord, payload: Uint8Array, request: TalkToken): void {
    const { state, members } = this.#parts
    const version = state.version(from)
    if (!version.ok) {
      state.counters.add(`refused.${version.code}`)
      turn.emit({ type: 'answer-talk', request, payload: NOTHING })
      return
    }
    const decoded = decodeMessage(payload, version.value)
    if (!decoded.ok) {
      state.counters.add(`malformed.request.${decoded.detail}`)
      turn.emit({ type: 'answer-talk', request, payload: NOTHING })
      return
    }
    const message = decoded.value
    state.counters.add(`requested.${message.type}`)
    members.meet(turn, from)
    const answer = (later: Turn, reply: PortalMessage | undefined): void => {
      const bytes = reply === undefined ? NOTHING : encodeMessage(reply, version.value)
      later.emit({ type: 'answer-talk', request, payload: bytes })
    }
    switch (message.type) {
      case 'ping':
        answer(turn, this.#pong(turn, from, message))
        return
      case 'find-nodes':
        answer(turn, this.#nodes(from, message.distances))
        return
      case 'find-content':
        this.#findContent(turn, from, version.value, message.key, answer)
        return
      case 'offer':
        this.#parts.offers.offered(turn, from, version.value, message.keys, (later, codes) => {
          answer(later, { type: 'accept', ...codes })
        })
        return
      default:
        state.counters.add('malformed.request.type')
        answer(turn, undefined)
    }
  }

  #pong(turn: Turn, from: NodeRecord, ping: Ping): PortalMessage {
    const { members, state } = this.#parts
    members.newerRecord(turn, from, ping.enrSeq)
    const decoded = decodePingPayload(ping.payloadType, ping.payload)
    let reply: PingPayload
    if (decoded.ok && decoded.value.payloadType !== 65535) {
      members.learn(from, decoded.value)
      reply = members.ownPayload(decoded.value.payloadType)
    } else {
      // An error is an answer and never a question: it counts as a type that is not supported.
      const isMalformed = !decoded.ok && decoded.code === 'PORTAL_PAYLOAD_MALFORMED'
      const errorCode = isMalformed ? pingErrorCodes.malformed : pingErrorCodes.notSupported
      state.counters.add(isMalformed ? `malformed.ping.${decoded.detail}` : 'malformed.ping.type')
      const message = decoded.ok ? 'an error payload is only for pongs' : decoded.detail
      reply = { payloadType: 65535, errorCode, message }
    }
    const payload = encodePingPayload(reply)
    return { type: 'pong', enrSeq: state.record.seq, payloadType: reply.payloadType, payload }
  }

  /** Others than the asker, that have answered lately, where it can reach them. */
  #toldTo(from: NodeRecord): (slot: Readonly<Slot<Member>>) => boolean {
    const { members } = this.#parts
    return slot => {
      const { record } = slot.entry
      return record.nodeIdHex !== from.nodeIdHex && members.isTold(slot) && mayTell(from, record)
    }
  }

  #nodes(from: NodeRecord, distances: readonly number[]): PortalMessage {
    const { state } = this.#parts
    const own = distances.includes(0) ? [state.record] : []
    const others = state.table.atDistances(distances, MAX_RECORDS, this.#toldTo(from)).map(member => member.record)
    const budget = MAX_TALK_RESPONSE_BYTES - NODES_OVERHEAD_BYTES
    return { type: 'nodes', total: 1, records: packRecords([...own, ...others], budget, MAX_RECORDS) }
  }

  #findContent(
    turn: Turn,
    from: NodeRecord,
    version: number,
    key: Uint8Array,
    answer: (turn: Turn, reply: PortalMessage | undefined) => void,
  ): void {
    const { state, questions } = this.#parts
    const name = state.name(key.slice())
    if (name === undefined) {
      state.counters.add('malformed.request.content-key')
      answer(turn, undefined)
      return
    }
    const limit = questions.hasRoom ? this.#limitOfReads(from) : 'limit.questions'
    if (limit !== undefined) {
      state.counters.add(limit)
      answer(turn, this.#closest(from, name))
      return
    }
    this.#countRead(from, 1)
    const ref = questions.open(turn, state.limits.questionTimeoutMs, (later, read) => {
      this.#countRead(from, -1)
      const content = read?.type === 'content-read' ? read.content : undefined
      answer(later, content === undefined ? this.#closest(from, name) : this.#give(later, from, version, name, content))
    })
    turn.emit({ type: 'want-content', ref, ...name })
  }

  /**
   * Why the store is not to be read for a peer: a read is an item in memory, up to 16 MiB for a question of a hundred bytes, and for nothing
   * where no transfer can follow.
   */
  #limitOfReads({ nodeIdHex }: NodeRecord): string | undefined {
    const { state, transfers } = this.#parts
    if (!transfers.hasRoom('serve', nodeIdHex)) return 'limit.serves'
    const { reads, readsOfPeer } = state.limits
    return this.#reads < reads && this.#readsOfPeer.of(nodeIdHex) < readsOfPeer ? undefined : 'limit.reads'
  }

  #countRead({ nodeIdHex }: NodeRecord, by: 1 | -1): void {
    this.#reads += by
    this.#readsOfPeer.add(nodeIdHex, by)
  }

  #give(turn: Turn, peer: NodeRecord, version: number, name: ContentName, content: Uint8Array): PortalMessage {
    const { state, transfers } = this.#parts
    if (content.length <= MAX_INLINE_BYTES) {
      state.counters.add('served.inline')
      return { type: 'content', kind: 'inline', content }
    }
    const fits = this.#bytes === 0 || this.#bytes + content.length <= state.limits.serveBytes
    if (!fits || !transfers.hasRoom('serve', peer.nodeIdHex)) {
      state.counters.add('limit.serves')
      return this.#closest(peer, name)
    }
    const connectionId = transfers.chooseConnectionId(peer.nodeIdHex)
    const ref = state.nextRef()
    this.#bytes += content.length
    transfers.begin(turn, ref, 'serve', peer, connectionId, {
      ended: (_later, failure) => {
        this.#bytes -= content.length
        state.counters.add(failure === undefined ? 'served.utp' : `serve.failed.${failure}`)
      },
    })
    // Before the answer, so that the stream is awaited when its first packet comes.
    const prefixed = prefixesFoundContent(version)
    turn.emit({ type: 'serve', ref, peer, connectionId, version, prefixed, content, ...name })
    return { type: 'content', kind: 'connection-id', connectionId }
  }

  #closest(from: NodeRecord, name: ContentName): PortalMessage {
    const { state } = this.#parts
    const near = state.table.closest(name.contentId, MAX_RECORDS, this.#toldTo(from)).map(member => member.record)
    const budget = MAX_TALK_RESPONSE_BYTES - CONTENT_RECORDS_OVERHEAD_BYTES
    return { type: 'content', kind: 'records', records: packRecords(near, budget, MAX_RECORDS) }
  }
}
