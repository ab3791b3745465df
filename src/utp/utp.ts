/**
 * uTP (BEP 29, with the deviations of the Portal specification, `utp/discv5-utp.md`): the door of this floor.
 *
 *     wire        the 20-byte header, sequence numbers, reset reasons
 *     sending     packets in flight, congestion window, round-trip time
 *     receiving   reordering and acknowledgements
 *     connection  one stream from SYN to FIN
 *     streams     which stream a packet belongs to
 *
 * `UtpConnection` is one stream, `Streams` knows which stream a packet belongs to. Both are cores without I/O.
 */
export { type ConnectionOptions, UtpConnection } from './connection/connection.ts'
export { type ConnectionState, connectionMachine } from './connection/connection-machine.ts'
export type { StreamInput, StreamOutput, StreamSnapshot, StreamStats } from './connection/messages.ts'
export { defaultStreamLimits, type StreamLimits } from './limits.ts'
export { Streams } from './streams/streams.ts'
export {
  defaultStreamsLimits,
  type StreamId,
  type StreamPeer,
  type StreamsInput,
  type StreamsLimits,
  type StreamsOutput,
  type StreamsStats,
} from './streams/streams-messages.ts'
export { MAX_UTP_PACKET_BYTES } from './wire/size.ts'
