import type { CounterNames, Counters } from 'spimpl-runtime/core'

/**
 * What a stream counts on rare events. The packets and bytes of a stream are plain fields of the objects that move
 * them: a count by name took a tenth of the time of a packet that arrives alone.
 */
export const STREAM_COUNTERS = {
  retransmits: 'packets that were sent again',
  timeouts: 'retransmission timeouts',
  duplicates: 'packets that brought nothing new',
  refused: 'packets that belong to no stream: malformed, of another connection id, far outside the window',
} satisfies CounterNames<string>

export type StreamCounters = Counters<keyof typeof STREAM_COUNTERS>

/** What the table of streams counts. */
export const STREAMS_COUNTERS = {
  opened: 'streams that were opened',
  refused: 'calls and SYNs that were refused a stream, for a limit, a taken id or a RESET',
  expired: 'expectations that no SYN met in time',
  malformed: 'packets that are no uTP packets',
  unknown: 'packets that belong to no stream',
  answered: 'RESETs and last acks sent for packets that belong to no open stream',
  withheld: 'such replies that the rate limit kept back',
} satisfies CounterNames<string>

export type StreamsCounters = Counters<keyof typeof STREAMS_COUNTERS>
