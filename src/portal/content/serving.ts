import type { TalkToken } from '../../discv5/messages.ts'
import type { Slot } from '../../discv5/table/routing-table.ts'
import { Tally } from '../../discv5/table/tally.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { failureName, type OverlayCounterName } from '../counters.ts'
import type { Members } from '../knowledge/members.ts'
import { mayAdvertiseTo, packRecords } from '../knowledge/relayed-records.ts'
import type { Member, OverlayState } from '../knowledge/state.ts'
import type { ContentName } from '../messages.ts'
import type { Pings } from '../network/pings.ts'
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

const EMPTY = new Uint8Array(0)

export interface ServingParts {
  readonly state: OverlayState
  readonly members: Members
  readonly pings: Pings
  readonly questions: Questions
  readonly transfers: Transfers
  readonly offers: IncomingOffers
}

/** Requests of peers. Each is answered once; one that is not understood, with nothing (portal-wire-protocol.md). */
export class Serving {
  readonly #parts: ServingParts
  /** Bytes of content that is being served over uTP. */
  #servedBytes = 0
  /** Pending reads of the store: all, and by peer. */
  #reads = 0
  readonly #readsOfPeer = new Tally()

  constructor(parts: ServingParts) {
    this.#parts = parts
  }

  requested(from: NodeRecord, payload: Uint8Array, request: TalkToken): void {
    const { state, members } = this.#parts
    const version = state.version(from)
    if (!version.ok) {
      this.#refuse(request, `refused.${version.code}`)
      return
    }
    const decoded = decodeMessage(payload, version.value)
    if (!decoded.ok) {
      this.#refuse(request, `malformed.request.${decoded.detail}`)
      return
    }
    const answer = (reply: PortalMessage): void => {
      state.turn.emit({ type: 'answer-talk', request, payload: encodeMessage(reply, version.value) })
    }
    const message = decoded.value
    members.meet(from)
    switch (message.type) {
      case 'ping':
        state.counters.add('requested.ping')
        answer(this.#pong(from, message))
        return
      case 'find-nodes':
        state.counters.add('requested.find-nodes')
        answer(this.#nodes(from, message.distances))
        return
      case 'find-content': {
        state.counters.add('requested.find-content')
        const name = state.name(message.key.slice())
        if (name === undefined) this.#refuse(request, 'malformed.request.content-key')
        else this.#findContent(from, version.value, name, answer)
        return
      }
      case 'offer':
        state.counters.add('requested.offer')
        this.#parts.offers.offered(from, version.value, message.keys, accept => {
          answer({ type: 'accept', ...accept })
        })
        return
      default:
        this.#refuse(request, 'malformed.request.type')
    }
  }

  /** Answers with nothing. */
  #refuse(request: TalkToken, reason: OverlayCounterName): void {
    const { counters, turn } = this.#parts.state
    counters.add(reason)
    turn.emit({ type: 'answer-talk', request, payload: EMPTY })
  }

  #pong(from: NodeRecord, ping: Ping): PortalMessage {
    const { pings, state } = this.#parts
    pings.announcedSeq(from, ping.enrSeq)
    const reply = this.#replyTo(from, ping)
    const payload = encodePingPayload(reply)
    return { type: 'pong', enrSeq: state.record.seq, payloadType: reply.payloadType, payload }
  }

  #replyTo(from: NodeRecord, ping: Ping): PingPayload {
    const { pings, state } = this.#parts
    const decoded = decodePingPayload(ping.payloadType, ping.payload)
    if (decoded.ok && decoded.value.payloadType !== 65535) {
      state.profiles.of(from.nodeIdHex).learn(decoded.value)
      return pings.ownPayload(decoded.value.payloadType)
    }
    if (!decoded.ok && decoded.code === 'PORTAL_PAYLOAD_MALFORMED') {
      state.counters.add(`malformed.ping.${decoded.detail}`)
      return { payloadType: 65535, errorCode: pingErrorCodes.malformed, message: decoded.detail }
    }
    // An error payload is an answer, never a question: it counts as a type that we do not support.
    state.counters.add('malformed.ping.type')
    const message = decoded.ok ? 'an error payload is only for pongs' : decoded.detail
    return { payloadType: 65535, errorCode: pingErrorCodes.notSupported, message }
  }

  /** Which members our answers to this peer may include: advertised ones that it can reach, and not itself. */
  #mayInclude(from: NodeRecord): (slot: Readonly<Slot<Member>>) => boolean {
    const { members } = this.#parts
    return slot => {
      const { record } = slot.entry
      return record.nodeIdHex !== from.nodeIdHex && members.isAdvertised(slot) && mayAdvertiseTo(from, record)
    }
  }

  #nodes(from: NodeRecord, distances: readonly number[]): PortalMessage {
    const { state } = this.#parts
    const own = distances.includes(0) ? [state.record] : []
    const others = state.table.atDistances(distances, MAX_RECORDS, this.#mayInclude(from)).map(member => member.record)
    const budget = MAX_TALK_RESPONSE_BYTES - NODES_OVERHEAD_BYTES
    return { type: 'nodes', total: 1, records: packRecords([...own, ...others], budget, MAX_RECORDS) }
  }

  #findContent(from: NodeRecord, version: number, name: ContentName, answer: (reply: PortalMessage) => void): void {
    const { state, questions } = this.#parts
    const limit = questions.hasRoom ? this.#limitOfReads(from) : 'limit.questions'
    if (limit !== undefined) {
      state.counters.add(limit)
      answer(this.#closest(from, name))
      return
    }
    const ref = state.ownRef()
    this.#countRead(from, 1)
    questions.open(ref, state.limits.questionTimeoutMs, read => {
      this.#countRead(from, -1)
      const content = read?.type === 'content-read' ? read.content : undefined
      answer(content === undefined ? this.#closest(from, name) : this.#give(from, version, name, content))
    })
    state.turn.emit({ type: 'want-content', ref, ...name })
  }

  /**
   * The limit that forbids a read for this peer. A read brings an item of up to 16 MiB into memory for a request of a
   * hundred bytes, and is useless if no transfer can follow.
   */
  #limitOfReads({ nodeIdHex }: NodeRecord): 'limit.serves' | 'limit.reads' | undefined {
    const { state, transfers } = this.#parts
    if (!transfers.hasRoom('serve', nodeIdHex)) return 'limit.serves'
    const { reads, readsOfPeer } = state.limits
    return this.#reads < reads && this.#readsOfPeer.of(nodeIdHex) < readsOfPeer ? undefined : 'limit.reads'
  }

  #countRead({ nodeIdHex }: NodeRecord, by: 1 | -1): void {
    this.#reads += by
    this.#readsOfPeer.add(nodeIdHex, by)
  }

  /** The content itself, or a connection id over which it is served. */
  #give(peer: NodeRecord, version: number, name: ContentName, content: Uint8Array): PortalMessage {
    const { state, transfers } = this.#parts
    if (content.length <= MAX_INLINE_BYTES) {
      state.counters.add('served.inline')
      return { type: 'content', kind: 'inline', content }
    }
    const fits = this.#servedBytes === 0 || this.#servedBytes + content.length <= state.limits.serveBytes
    if (!fits || !transfers.hasRoom('serve', peer.nodeIdHex)) {
      state.counters.add('limit.serves')
      return this.#closest(peer, name)
    }
    const connectionId = transfers.chooseConnectionId(peer.nodeIdHex)
    const ref = state.ownRef()
    this.#servedBytes += content.length
    transfers.begin(ref, 'serve', peer, connectionId, {
      ended: failure => {
        this.#servedBytes -= content.length
        if (failure === undefined) state.counters.add('served.utp')
        else state.counters.add(`serve.failed.${failureName(failure.code, failure.blamesContent)}`)
      },
    })
    // Emitted before the answer, so that we listen when the first packet of the stream arrives.
    const prefixed = prefixesFoundContent(version)
    state.turn.emit({ type: 'serve', ref, peer, connectionId, version, prefixed, content, ...name })
    return { type: 'content', kind: 'connection-id', connectionId }
  }

  #closest(from: NodeRecord, name: ContentName): PortalMessage {
    const { state } = this.#parts
    const near = state.table.closest(name.contentId, MAX_RECORDS, this.#mayInclude(from)).map(member => member.record)
    const budget = MAX_TALK_RESPONSE_BYTES - CONTENT_RECORDS_OVERHEAD_BYTES
    return { type: 'content', kind: 'records', records: packRecords(near, budget, MAX_RECORDS) }
  }
}
