import type { Randomness } from 'spimpl-runtime'
import { type Core, Counters, Deadlines, PendingCalls, Turn } from 'spimpl-runtime/core'
import { STREAMS_COUNTERS, type StreamsCounters } from '../counters.ts'
import type { StreamsDeadline } from '../deadlines.ts'
import { type StreamsLimits, streamsLimits } from '../limits.ts'
import { routeOf, ST_RESET, ST_STATE, ST_SYN } from '../wire/packet.ts'
import type { StreamId, StreamPeer, StreamsInput, StreamsOutput, StreamsStats } from './messages.ts'
import { StatelessReplies } from './stateless-replies.ts'
import { StreamEntry } from './stream-entry.ts'
import { StreamIndex } from './stream-index.ts'
import { SynBacklog } from './syn-backlog.ts'

const MAX_EARLY_SYNS = 1024
/** What an initiator waits before it repeats its SYN (BEP 29). */
const EARLY_SYN_WAIT_MS = 1000

type RefusalCode = 'STREAM_ID_TAKEN' | 'STREAM_LIMIT' | 'STREAM_RESET'
interface Refusal {
  readonly code: RefusalCode
  readonly detail: string
}

/**
 * Which stream a uTP packet belongs to: (node id, connection id) to stream, the connections that peers were told to
 * make, and recently closed streams. Reads only the 20-byte header, and passes on one message for each stream.
 *
 *     expect ---> expected --- SYN ---> open --- closed ---> lingering ---> forgotten
 *     initiate ------------------------> open
 *
 * @example
 * const streams = new Streams({ randomness })
 * streams.handle({ type: 'initiate', ref: 1, peer, connectionId }, now, output => outputs.push(output)) // `opened`
 */
export class Streams<Peer extends StreamPeer> implements Core<StreamsInput<Peer>, StreamsOutput<Peer>> {
  readonly #turn = new Turn<StreamsOutput<Peer>>()
  readonly #limits: StreamsLimits
  readonly #counters: StreamsCounters = new Counters(STREAMS_COUNTERS)
  readonly #deadlines = new Deadlines<StreamsDeadline<Peer>>()
  readonly #replies: StatelessReplies
  readonly #backlog: SynBacklog<Peer>
  readonly #index = new StreamIndex<Peer>()
  readonly #open = new Map<StreamId, StreamEntry<Peer>>()
  /** By the caller's ref. */
  readonly #expected: PendingCalls<StreamEntry<Peer>>
  /** In the order of their ends: all linger equally long. */
  readonly #lingering = new Set<StreamEntry<Peer>>()
  #nextStream: StreamId = 1

  /** @throws SpimplError `CONFIG_INVALID` for a limit */
  constructor(options: { readonly randomness: Randomness; readonly limits?: Partial<StreamsLimits> }) {
    const limits = streamsLimits(options.limits)
    this.#limits = limits
    this.#expected = new PendingCalls(limits.maxExpectations)
    this.#replies = new StatelessReplies(options.randomness, this.#counters, limits)
    this.#backlog = new SynBacklog(this.#deadlines, {
      capacity: MAX_EARLY_SYNS,
      capacityOfPeer: limits.maxStreamsPerPeer,
      waitMs: EARLY_SYN_WAIT_MS,
    })
  }

  handle(input: StreamsInput<Peer>, now: number, emit: (output: StreamsOutput<Peer>) => void): void {
    this.#turn.begin(now)
    switch (input.type) {
      case 'packets':
        this.#onPackets(input.peer, input.packets)
        break
      case 'initiate':
        this.#onInitiate(input.ref, input.peer, input.connectionId)
        break
      case 'expect':
        this.#onExpect(input.ref, input.peer, input.connectionId, input.timeoutMs)
        break
      case 'decline':
        this.#send(input.peer, [this.#replies.decline(input.connectionId, now)])
        break
      case 'forget': {
        const entry = this.#expected.peek(input.ref)
        if (entry !== undefined) this.#remove(entry)
        break
      }
      case 'closed':
        this.#onClosed(input.stream, input.lastAck)
        break
      case 'owner-gone':
        this.#onOwnerGone(input.stream)
        break
      case 'timeout':
        break
    }
    this.#expire(now)
    this.#turn.end(emit)
  }

  deadline(): number {
    return this.#deadlines.next()
  }

  stats(): StreamsStats {
    return {
      streams: this.#open.size,
      expectations: this.#expected.size,
      lingering: this.#lingering.size,
      ...this.#counters.snapshot(),
    }
  }

  /** For `inspect` and traces. */
  snapshot(): {
    readonly streams: readonly { stream: StreamId; nodeIdHex: string; connectionId: number; initiated: boolean }[]
    readonly stats: StreamsStats
  } {
    const streams = [...this.#open.values()].map(({ stream, peer, connectionId, initiated }) => ({
      stream,
      nodeIdHex: peer.nodeIdHex,
      connectionId,
      initiated,
    }))
    return { streams, stats: this.stats() }
  }

  #onPackets(peer: Peer, packets: readonly Uint8Array[]): void {
    const known = this.#index.of(peer)
    const touched: StreamEntry<Peer>[] = []
    const replies: Uint8Array[] = []
    for (const packet of packets) {
      const route = routeOf(packet)
      if (route < 0) {
        this.#counters.add('malformed')
        continue
      }
      const type = route >> 16
      const id = route & 0xffff
      const entry = known?.find(type, id)
      const reply = entry === undefined ? this.#onUnknown(peer, type, id, packet) : this.#onKnown(entry, type, packet)
      if (reply !== undefined) replies.push(reply)
      if (entry?.stage === 'open' && entry.collect(packet)) touched.push(entry)
    }
    for (const entry of touched)
      this.#turn.emit({ type: 'deliver', stream: entry.stream, packets: entry.takeCollected() })
    this.#send(peer, replies)
  }

  /** Returns a reply, if the packet gets one. */
  #onUnknown(peer: Peer, type: number, id: number, packet: Uint8Array): Uint8Array | undefined {
    const { now } = this.#turn
    this.#counters.add('unknown')
    if (type === ST_RESET) return undefined
    if (type === ST_SYN && this.#backlog.hold(peer, (id + 1) & 0xffff, packet, now)) return undefined
    return this.#replies.replyTo(packet, peer, now)
  }

  /** Returns a reply, if the packet gets one. A packet of an entry that is open afterwards belongs to its stream. */
  #onKnown(entry: StreamEntry<Peer>, type: number, packet: Uint8Array): Uint8Array | undefined {
    const { now } = this.#turn
    const { peer, lastAck } = entry
    switch (entry.stage) {
      case 'open':
        return undefined
      case 'lingering':
        // An ack asks for nothing, and two ends that answer each other's acks would never stop.
        return type === ST_RESET || type === ST_STATE
          ? undefined
          : this.#replies.replyTo(packet, peer, now, { lastAck })
      case 'expected':
        if (type === ST_RESET) {
          this.#remove(entry)
          this.#refuse(entry.ref, { code: 'STREAM_RESET', detail: 'the peer declined the connection' })
        } else if (type !== ST_SYN) this.#counters.add('unknown')
        else if (!this.#accept(entry)) return this.#replies.replyTo(packet, peer, now, { reason: 'STREAM_LIMIT' })
        return undefined
    }
  }

  #onInitiate(ref: number, peer: Peer, connectionId: number): void {
    const refusal = this.#refusalOfId(peer, connectionId, connectionId) ?? this.#refusalOfStream(peer)
    if (refusal === undefined) this.#openEntry(this.#insert(ref, peer, connectionId, true))
    else this.#refuse(ref, refusal)
  }

  #onExpect(ref: number, peer: Peer, connectionId: number, timeoutMs = this.#limits.expectTimeoutMs): void {
    const receiveId = (connectionId + 1) & 0xffff
    const refusal = this.#refusalOfId(peer, connectionId, receiveId) ?? this.#refusalOfExpectation(ref)
    if (refusal !== undefined) {
      this.#refuse(ref, refusal)
      return
    }
    const entry = this.#insert(ref, peer, connectionId, false)
    this.#expected.addAs(ref, entry)
    this.#deadlines.set(entry.expectation, this.#turn.now + timeoutMs)
    const syn = this.#backlog.take(peer.nodeIdHex, receiveId)
    if (syn !== undefined && this.#accept(entry))
      this.#turn.emit({ type: 'deliver', stream: entry.stream, packets: [syn] })
  }

  #onClosed(stream: StreamId, lastAck: Uint8Array | undefined): void {
    const entry = this.#open.get(stream)
    if (entry === undefined) return
    this.#open.delete(stream)
    this.#index.count(entry, -1)
    entry.close(lastAck)
    this.#lingering.add(entry)
    this.#deadlines.set(entry.lingering, this.#turn.now + this.#limits.lingerMs)
    if (this.#lingering.size <= this.#limits.maxLingering) return
    const [oldest] = this.#lingering
    if (oldest !== undefined) this.#remove(oldest)
  }

  /** Nothing to do after 'closed'. */
  #onOwnerGone(stream: StreamId): void {
    if (!this.#open.has(stream)) return
    this.#onClosed(stream, undefined)
    this.#turn.emit({ type: 'lost', stream, code: 'STREAM_RESET', detail: 'the actor of the stream failed' })
  }

  #refusalOfId(peer: Peer, connectionId: number, receiveId: number): Refusal | undefined {
    if (!Number.isInteger(connectionId) || connectionId < 0 || connectionId > 0xffff)
      return { code: 'STREAM_ID_TAKEN', detail: `expected a connection id of 16 bits, got ${connectionId}` }
    const taken = this.#index.of(peer)?.at(receiveId)
    if (taken === undefined) return undefined
    // A new stream may reuse the id of a closed one: late packets are worth less than a new stream.
    if (taken.stage === 'lingering') {
      this.#remove(taken)
      return undefined
    }
    return {
      code: 'STREAM_ID_TAKEN',
      detail: `expected a connection id that no stream with ${peer.nodeIdHex} has, got ${connectionId}`,
    }
  }

  #refusalOfExpectation(ref: number): Refusal | undefined {
    if (!this.#expected.hasRoom) {
      const { maxExpectations } = this.#limits
      return { code: 'STREAM_LIMIT', detail: `expected at most ${maxExpectations} expectations, got more` }
    }
    if (this.#expected.peek(ref) === undefined) return undefined
    return { code: 'STREAM_ID_TAKEN', detail: `expected a fresh ref, got ${ref} twice` }
  }

  #refusalOfStream(peer: Peer): Refusal | undefined {
    const { maxStreams, maxStreamsPerPeer } = this.#limits
    if (this.#open.size >= maxStreams)
      return { code: 'STREAM_LIMIT', detail: `expected at most ${maxStreams} streams, got one more` }
    if ((this.#index.of(peer)?.openStreams ?? 0) >= maxStreamsPerPeer)
      return { code: 'STREAM_LIMIT', detail: `expected at most ${maxStreamsPerPeer} streams of one node, got one more` }
    return undefined
  }

  /** The SYN of an expectation arrived. Returns whether its stream is open now. */
  #accept(entry: StreamEntry<Peer>): boolean {
    const { now } = this.#turn
    const { ref } = entry
    const isExpired = now >= entry.expectation.at
    const refusal = this.#refusalOfStream(entry.peer)
    if (refusal === undefined && !isExpired) {
      this.#expected.take(ref)
      this.#deadlines.clear(entry.expectation)
      this.#openEntry(entry)
      return true
    }
    this.#remove(entry)
    if (refusal === undefined) this.#onExpired(ref)
    else this.#refuse(ref, refusal)
    return false
  }

  #insert(ref: number, peer: Peer, connectionId: number, initiated: boolean): StreamEntry<Peer> {
    const entry = new StreamEntry(ref, peer, connectionId, initiated)
    this.#index.add(entry)
    return entry
  }

  #openEntry(entry: StreamEntry<Peer>): void {
    const { ref, peer, connectionId, initiated } = entry
    const stream = this.#nextStream++
    entry.open(stream)
    this.#open.set(stream, entry)
    this.#index.count(entry, 1)
    this.#counters.add('opened')
    this.#turn.emit({ type: 'opened', ref, stream, peer, connectionId, initiated })
  }

  #remove(entry: StreamEntry<Peer>): void {
    if (entry.stage === 'expected') this.#expected.take(entry.ref)
    this.#deadlines.clear(entry.expectation)
    this.#deadlines.clear(entry.lingering)
    this.#lingering.delete(entry)
    this.#index.remove(entry)
  }

  #refuse(ref: number, refusal: Refusal): void {
    this.#counters.add('refused')
    this.#turn.emit({ type: 'refused', ref, ...refusal })
  }

  #send(peer: Peer, packets: readonly Uint8Array[]): void {
    if (packets.length > 0) this.#turn.emit({ type: 'send', peer, packets })
  }

  #onExpired(ref: number): void {
    this.#counters.add('expired')
    this.#turn.emit({ type: 'expired', ref })
  }

  #expire(now: number): void {
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      switch (due.name) {
        case 'expectation':
          this.#remove(due.subject)
          this.#onExpired(due.subject.ref)
          break
        case 'lingering':
          this.#remove(due.subject)
          break
        case 'early-syn': {
          const { peer, bytes } = due.subject
          this.#backlog.drop(due.subject)
          const reply = this.#replies.replyTo(bytes, peer, now)
          if (reply !== undefined) this.#send(peer, [reply])
          break
        }
      }
    }
  }
}
