import type { Randomness } from 'spimpl-runtime'
import type { Core } from 'spimpl-runtime/core'
import { routeOf, ST_RESET, ST_STATE, ST_SYN } from '../wire/packet.ts'
import { EarlySyns } from './early-syns.ts'
import { LateAnswers } from './late-answers.ts'
import { EXPECTED, LINGERING, OPEN, type StreamEntry, StreamIndex } from './stream-index.ts'
import {
  defaultStreamsLimits,
  type StreamId,
  type StreamPeer,
  type StreamsInput,
  type StreamsLimits,
  type StreamsOutput,
  type StreamsStats,
} from './streams-messages.ts'

const MAX_EARLY_SYNS = 1024
/** What an initiator waits before it repeats its SYN (BEP 29). */
const EARLY_SYN_WAIT_MS = 1000

/** Ends of waiting are looked at no more often than this, so that many of them cost one walk. */
const EXPIRY_STEP_MS = 100

/**
 * Which stream a uTP packet belongs to: (node id, connection id) to stream, the connections that peers were told to make, and
 * the streams that ended a moment ago. Reads only the 20-byte header, and hands on one message a stream.
 *
 * @example
 * const streams = new Streams({ randomness })
 * streams.handle({ type: 'initiate', ref: 1, peer, connectionId }, now, output => outputs.push(output)) // `opened` or `refused`
 */
export class Streams<Peer extends StreamPeer> implements Core<StreamsInput<Peer>, StreamsOutput<Peer>> {
  readonly #limits: StreamsLimits
  readonly #late: LateAnswers
  readonly #early: EarlySyns<Peer>
  readonly #index = new StreamIndex<Peer>()
  readonly #open = new Map<StreamId, StreamEntry<Peer>>()
  /** By the caller's ref. */
  readonly #expected = new Map<number, StreamEntry<Peer>>()
  /** In the order of their ends: all linger equally long. */
  readonly #lingering = new Set<StreamEntry<Peer>>()
  #nextStream: StreamId = 1
  #nextDeadline = Number.POSITIVE_INFINITY
  #opened = 0
  #refused = 0
  #expired = 0
  #malformed = 0
  #unknown = 0

  constructor(options: { readonly randomness: Randomness; readonly limits?: Partial<StreamsLimits> }) {
    this.#limits = { ...defaultStreamsLimits, ...options.limits }
    this.#late = new LateAnswers({ randomness: options.randomness, ...this.#limits })
    const capacityOfPeer = this.#limits.maxStreamsPerPeer
    this.#early = new EarlySyns({ capacity: MAX_EARLY_SYNS, capacityOfPeer, waitMs: EARLY_SYN_WAIT_MS })
  }

  handle(input: StreamsInput<Peer>, now: number, emit: (output: StreamsOutput<Peer>) => void): void {
    switch (input.type) {
      case 'packets':
        this.#onPackets(input.peer, input.packets, now, emit)
        break
      case 'initiate':
        this.#onInitiate(input.ref, input.peer, input.connectionId, now, emit)
        break
      case 'expect':
        this.#onExpect(input.ref, input.peer, input.connectionId, input.timeoutMs, now, emit)
        break
      case 'decline': {
        const { peer, connectionId } = input
        emit({ type: 'send', peer, packets: [this.#late.declining(connectionId, now)] })
        break
      }
      case 'forget': {
        const entry = this.#expected.get(input.ref)
        if (entry !== undefined) this.#remove(entry)
        break
      }
      case 'closed':
        this.#onClosed(input.stream, input.farewell, now)
        break
      case 'timeout':
        break
    }
    if (now >= this.#nextDeadline) this.#expire(now, emit)
  }

  deadline(): number {
    return this.#nextDeadline
  }

  stats(): StreamsStats {
    return {
      streams: this.#open.size,
      expectations: this.#expected.size,
      lingering: this.#lingering.size,
      opened: this.#opened,
      refused: this.#refused,
      expired: this.#expired,
      malformed: this.#malformed,
      unknown: this.#unknown,
      answered: this.#late.answered,
      withheld: this.#late.withheld,
    }
  }

  /** For `inspect` and traces. */
  snapshot(): {
    readonly streams: readonly { stream: StreamId; nodeIdHex: string; connectionId: number; initiated: boolean }[]
    readonly stats: StreamsStats
  } {
    const streams = []
    for (const entry of this.#open.values())
      streams.push({
        stream: entry.stream,
        nodeIdHex: entry.peer.nodeIdHex,
        connectionId: entry.connectionId,
        initiated: entry.initiated,
      })
    return { streams, stats: this.stats() }
  }

  #onPackets(
    peer: Peer,
    packets: readonly Uint8Array[],
    now: number,
    emit: (output: StreamsOutput<Peer>) => void,
  ): void {
    const known = this.#index.of(peer)
    const touched: StreamEntry<Peer>[] = []
    const answers: Uint8Array[] = []
    for (const bytes of packets) {
      const route = routeOf(bytes)
      if (route < 0) {
        this.#malformed++
        continue
      }
      const type = route >> 16
      const connectionId = route & 0xffff
      const entry = known?.find(type, connectionId)
      if (entry === undefined) {
        this.#unknown++
        if (type === ST_SYN && this.#early.keep(peer, (connectionId + 1) & 0xffff, bytes, now)) {
          this.#nextDeadline = Math.min(this.#nextDeadline, this.#early.deadline)
        } else if (type !== ST_RESET) this.#late.answer(peer, answers, undefined, bytes, now)
        continue
      }
      if (entry.stage === LINGERING) {
        // An ack asks for nothing, and two ends that answer each other's acks would never stop.
        if (type !== ST_RESET && type !== ST_STATE) this.#late.answer(peer, answers, entry.farewell, bytes, now)
        continue
      }
      if (entry.stage === EXPECTED) {
        if (type === ST_RESET) {
          this.#remove(entry)
          this.#refuse(entry.ref, 'STREAM_RESET', 'the peer has no use for it', emit)
          continue
        }
        if (type !== ST_SYN) {
          this.#unknown++
          continue
        }
        if (!this.#accept(entry, now, emit)) {
          this.#late.answer(peer, answers, undefined, bytes, now, 'STREAM_LIMIT')
          continue
        }
      }
      if (entry.batch === undefined) {
        entry.batch = []
        touched.push(entry)
      }
      entry.batch.push(bytes)
    }
    for (const entry of touched) {
      const batch = entry.batch as Uint8Array[]
      entry.batch = undefined
      emit({ type: 'deliver', stream: entry.stream, packets: batch })
    }
    if (answers.length > 0) emit({ type: 'send', peer, packets: answers })
  }

  #onInitiate(
    ref: number,
    peer: Peer,
    connectionId: number,
    now: number,
    emit: (output: StreamsOutput<Peer>) => void,
  ): void {
    const refusal = this.#refusal(peer, connectionId, connectionId) ?? this.#overLimit(peer)
    if (refusal !== undefined) {
      this.#refuse(ref, refusal.code, refusal.detail, emit)
      return
    }
    const entry = this.#insert(ref, peer, connectionId, connectionId, true, now)
    this.#openEntry(entry, emit)
  }

  #onExpect(
    ref: number,
    peer: Peer,
    connectionId: number,
    timeoutMs: number | undefined,
    now: number,
    emit: (output: StreamsOutput<Peer>) => void,
  ): void {
    const receiveId = (connectionId + 1) & 0xffff
    let refusal = this.#refusal(peer, connectionId, receiveId)
    if (refusal === undefined && this.#expected.size >= this.#limits.maxExpectations)
      refusal = {
        code: 'STREAM_LIMIT',
        detail: `expected at most ${this.#limits.maxExpectations} expectations, got more`,
      }
    if (refusal === undefined && this.#expected.has(ref))
      refusal = { code: 'STREAM_ID_TAKEN', detail: `expected a fresh ref, got ${ref} twice` }
    if (refusal !== undefined) {
      this.#refuse(ref, refusal.code, refusal.detail, emit)
      return
    }
    const entry = this.#insert(ref, peer, connectionId, receiveId, false, now)
    this.#expected.set(ref, entry)
    this.#wait(entry, now + (timeoutMs ?? this.#limits.expectTimeoutMs))
    const syn = this.#early.take(peer.nodeIdHex, receiveId)
    if (syn !== undefined && this.#accept(entry, now, emit))
      emit({ type: 'deliver', stream: entry.stream, packets: [syn] })
  }

  #onClosed(stream: StreamId, farewell: Uint8Array | undefined, now: number): void {
    const entry = this.#open.get(stream)
    if (entry === undefined) return
    this.#open.delete(stream)
    const peer = this.#index.of(entry.peer)
    if (peer !== undefined) peer.open--
    entry.stage = LINGERING
    entry.farewell = farewell
    this.#lingering.add(entry)
    this.#wait(entry, now + this.#limits.lingerMs)
    if (this.#lingering.size > this.#limits.maxLingering)
      for (const oldest of this.#lingering) {
        this.#remove(oldest)
        break
      }
  }

  #refusal(
    peer: Peer,
    connectionId: number,
    receiveId: number,
  ): { code: 'STREAM_ID_TAKEN' | 'STREAM_LIMIT'; detail: string } | undefined {
    if (!Number.isInteger(connectionId) || connectionId < 0 || connectionId > 0xffff)
      return { code: 'STREAM_ID_TAKEN', detail: `expected a connection id of 16 bits, got ${connectionId}` }
    const taken = this.#index.of(peer)?.at(receiveId)
    if (taken === undefined) return undefined
    // A new conversation may reuse the id of one that is over: its late packets are not worth more than the new one.
    if (taken.stage === LINGERING) {
      this.#remove(taken)
      return undefined
    }
    return {
      code: 'STREAM_ID_TAKEN',
      detail: `expected a connection id that no stream with ${peer.nodeIdHex} has, got ${connectionId}`,
    }
  }

  #overLimit(peer: Peer): { code: 'STREAM_LIMIT'; detail: string } | undefined {
    const { maxStreams, maxStreamsPerPeer } = this.#limits
    if (this.#open.size >= maxStreams)
      return { code: 'STREAM_LIMIT', detail: `expected at most ${maxStreams} streams, got one more` }
    if ((this.#index.of(peer)?.open ?? 0) >= maxStreamsPerPeer)
      return { code: 'STREAM_LIMIT', detail: `expected at most ${maxStreamsPerPeer} streams of one node, got one more` }
    return undefined
  }

  #accept(entry: StreamEntry<Peer>, now: number, emit: (output: StreamsOutput<Peer>) => void): boolean {
    this.#expected.delete(entry.ref)
    const over = this.#overLimit(entry.peer)
    if (over !== undefined) {
      this.#remove(entry)
      this.#refuse(entry.ref, over.code, over.detail, emit)
      return false
    }
    if (now >= entry.until) {
      this.#remove(entry)
      this.#expired++
      emit({ type: 'expired', ref: entry.ref })
      return false
    }
    this.#openEntry(entry, emit)
    return true
  }

  #insert(
    ref: number,
    peer: Peer,
    connectionId: number,
    receiveId: number,
    initiated: boolean,
    now: number,
  ): StreamEntry<Peer> {
    const entry: StreamEntry<Peer> = {
      stage: EXPECTED,
      peer,
      connectionId,
      receiveId,
      initiated,
      ref,
      stream: 0,
      until: now,
      farewell: undefined,
      batch: undefined,
    }
    this.#index.add(entry)
    return entry
  }

  #openEntry(entry: StreamEntry<Peer>, emit: (output: StreamsOutput<Peer>) => void): void {
    entry.stage = OPEN
    entry.stream = this.#nextStream++
    this.#open.set(entry.stream, entry)
    const peer = this.#index.of(entry.peer)
    if (peer !== undefined) peer.open++
    this.#opened++
    const { ref, stream, peer: who, connectionId, initiated } = entry
    emit({ type: 'opened', ref, stream, peer: who, connectionId, initiated })
  }

  #remove(entry: StreamEntry<Peer>): void {
    if (entry.stage === EXPECTED) this.#expected.delete(entry.ref)
    this.#lingering.delete(entry)
    this.#index.remove(entry)
  }

  #refuse(
    ref: number,
    code: 'STREAM_ID_TAKEN' | 'STREAM_LIMIT' | 'STREAM_RESET',
    detail: string,
    emit: (output: StreamsOutput<Peer>) => void,
  ): void {
    this.#refused++
    emit({ type: 'refused', ref, code, detail })
  }

  #wait(entry: StreamEntry<Peer>, until: number): void {
    entry.until = until
    if (until < this.#nextDeadline) this.#nextDeadline = until
  }

  /** Runs when the earliest end has come, so its walk over what waits is rare; both tables are bounded. */
  #expire(now: number, emit: (output: StreamsOutput<Peer>) => void): void {
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.#lingering) {
      if (entry.until <= now) this.#remove(entry)
      else {
        next = entry.until
        break
      }
    }
    for (const entry of this.#expected.values()) {
      if (entry.until <= now) {
        this.#remove(entry)
        this.#expired++
        emit({ type: 'expired', ref: entry.ref })
      } else if (entry.until < next) next = entry.until
    }
    for (const { peer, bytes } of this.#early.takeOverdue(now)) {
      const answers: Uint8Array[] = []
      this.#late.answer(peer, answers, undefined, bytes, now)
      if (answers.length > 0) emit({ type: 'send', peer, packets: answers })
    }
    this.#nextDeadline = Math.max(Math.min(next, this.#early.deadline), now + EXPIRY_STEP_MS)
  }
}
