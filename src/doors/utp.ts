/**
 * The door `spimpl/utp`: uTP streams as cores. `UtpConnection` is one stream, `Streams` the table that gives packets to
 * their streams. They open no socket and start no timer: their owner brings packets and the present moment.
 * `spimpl/node` has them as actors.
 */
export { type Randomness, seededRandomness, systemRandomness } from 'spimpl-runtime'
export type { Core } from 'spimpl-runtime/core'
export { type ErrorCode, SpimplError } from 'spimpl-runtime/errors'
export type { StreamErrorCode } from '../errors.ts'
export {
  type ConnectionOptions,
  type ConnectionState,
  defaultStreamLimits,
  defaultStreamsLimits,
  MAX_UTP_PACKET_BYTES,
  type StreamId,
  type StreamInput,
  type StreamLimits,
  type StreamOutput,
  type StreamPeer,
  type StreamSnapshot,
  type StreamStats,
  Streams,
  type StreamsInput,
  type StreamsLimits,
  type StreamsOutput,
  type StreamsStats,
  UtpConnection,
} from '../utp/utp.ts'
