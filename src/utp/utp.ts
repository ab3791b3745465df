/**
 * uTP (BEP 29, with the deviations of the Portal specification, `utp/discv5-utp.md`): the door of this floor.
 *
 * `UtpConnection` is one stream, `Streams` knows which stream a packet belongs to. Both are cores without I/O.
 */
export { type ConnectionOptions, UtpConnection } from './connection.ts'
export { type ConnectionState, connectionMachine } from './connection-machine.ts'
export { defaultStreamLimits, type StreamLimits } from './limits.ts'
export type { StreamInput, StreamOutput, StreamSnapshot, StreamStats } from './messages.ts'
export { MAX_UTP_PACKET_BYTES } from './size.ts'
export { Streams } from './streams.ts'
export {
  defaultStreamsLimits,
  type StreamId,
  type StreamPeer,
  type StreamsInput,
  type StreamsLimits,
  type StreamsOutput,
  type StreamsStats,
} from './streams-messages.ts'
