/**
 * uTP (BEP 29, with the deviations of the Portal specification, `utp/discv5-utp.md`): the door of this floor.
 *
 *     wire        the 20-byte header, batches of packets, sequence numbers, reset reasons
 *     sending     unsent bytes, packets in flight, loss, the congestion window, the round-trip time
 *     receiving   the receive window, reordering, acknowledgements
 *     connection  one stream from SYN to FIN: handshake, timers, ending
 *     streams     which stream a packet belongs to, and replies to packets of none
 *
 * `UtpConnection` is one stream, `Streams` the table of all streams. Both are cores without I/O. Beside this file, for
 * both: limits.ts, counters.ts, deadlines.ts (all timers).
 */
export { type ConnectionOptions, UtpConnection } from './connection/connection.ts'
export type { ConnectionState } from './connection/connection-machine.ts'
export type { StreamInput, StreamOutput, StreamSnapshot, StreamStats } from './connection/messages.ts'
export { defaultStreamLimits, defaultStreamsLimits, type StreamLimits, type StreamsLimits } from './limits.ts'
export type { StreamId, StreamPeer, StreamsInput, StreamsOutput, StreamsStats } from './streams/messages.ts'
export { Streams } from './streams/streams.ts'
export { MAX_UTP_PACKET_BYTES } from './wire/size.ts'
