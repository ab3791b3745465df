import { Deadline, Deadlines } from 'spimpl-runtime/core'
import type { StreamPeer } from './streams/messages.ts'
import type { EarlySyn, StreamEntry } from './streams/stream-entry.ts'

/** Why a stream wants to be woken. {@link StreamTimeouts} says what each one means. */
export type StreamTimer = (typeof NAMES)[number]

const NAMES = [
  'total',
  'connect',
  'idle',
  'finish',
  'retransmit',
  'probe',
  'window-probe',
  'loss',
  'burst',
  'syn',
  'keep-alive',
] as const

type StreamDeadline = Deadline<StreamTimer, undefined>

const timer = (name: StreamTimer): StreamDeadline => new Deadline(name, undefined)

/** All timers of one stream. `UtpConnection` handles them in one `switch`. */
export class StreamTimeouts {
  /** `totalTimeoutMs` after the start: the stream fails with STREAM_TIMEOUT, whatever it is doing. */
  readonly total = timer('total')
  /** `connectTimeoutMs` after the start, until the stream is established: STREAM_CONNECT_TIMEOUT. */
  readonly connect = timer('connect')
  /** `idleTimeoutMs` after the peer's last packet: STREAM_IDLE. */
  readonly idle = timer('idle')
  /** `finishTimeoutMs` after our FIN was acknowledged, while the peer's FIN is missing: the stream ends as finished. */
  readonly finish = timer('finish')
  /** A retransmission timeout without progress: all packets in flight count as lost (RFC 6298). */
  readonly retransmit = timer('retransmit')
  /** Long before that timeout: one packet is sent again, to learn whether the tail was lost (RFC 8985, 7.2). */
  readonly probe = timer('probe')
  /** The peer's window is closed and nothing is in flight: one packet asks whether it has opened. */
  readonly windowProbe = timer('window-probe')
  /** A packet that was overtaken has had its time and counts as lost (RFC 8985, 6.2). */
  readonly loss = timer('loss')
  /** At once: the rest of a burst that was cut into batches leaves. */
  readonly burst = timer('burst')
  /** Data arrived before the answer to our SYN, so that answer was lost: the SYN is sent again. */
  readonly syn = timer('syn')
  /** `keepAliveMs` after our last packet: an ack keeps the stream alive at the peer and at middle boxes. */
  readonly keepAlive = timer('keep-alive')

  readonly #deadlines = new Deadlines<StreamDeadline>()
  /** Timers that end the stream come first: a stream that is over retransmits nothing. */
  readonly #byPriority: readonly StreamDeadline[] = [
    this.total,
    this.connect,
    this.idle,
    this.finish,
    this.retransmit,
    this.probe,
    this.windowProbe,
    this.loss,
    this.burst,
    this.syn,
    this.keepAlive,
  ]

  /** The earliest moment; Infinity for none. */
  next(): number {
    return this.#deadlines.next()
  }

  /** Infinity clears the timer. */
  set(timer: StreamDeadline, at: number): void {
    this.#deadlines.set(timer, at)
  }

  clear(timer: StreamDeadline): void {
    this.#deadlines.clear(timer)
  }

  clearAll(): void {
    for (const timer of this.#byPriority) this.#deadlines.clear(timer)
  }

  /** Takes out the first due timer in the order of the list above. Call it until it returns undefined. */
  takeDue(now: number): StreamTimer | undefined {
    if (now < this.#deadlines.next()) return undefined
    const due = this.#byPriority.find(({ at }) => at <= now)
    if (due === undefined) return undefined
    this.#deadlines.clear(due)
    return due.name
  }
}

/** The deadlines of the table, all of them: each removes one record of it. */
export type StreamsDeadline<Peer extends StreamPeer> =
  /** `expectTimeoutMs` after an expectation: the peer did not connect, it is 'expired'. */
  | Deadline<'expectation', StreamEntry<Peer>>
  /** `lingerMs` after the end of a stream: its late packets get a RESET from now on. */
  | Deadline<'lingering', StreamEntry<Peer>>
  /** A second after an unexpected SYN: it gets a RESET. */
  | Deadline<'early-syn', EarlySyn<Peer>>
