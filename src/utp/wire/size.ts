/**
 * The largest uTP packet whose TALKREQ fits one discv5 packet.
 *
 * A discv5 packet has at most 1,280 bytes (discv5-wire, "UDP communication"). An ordinary message packet spends
 *
 *     masking-iv                                    16
 *     static header                                 23
 *     authdata (the sender's node id)               32
 *     message type                                   1
 *     RLP list header (0xf9 and two bytes)           3
 *     request id (8 bytes and its RLP header)        9
 *     protocol 'utp' (3 bytes and its RLP header)    4
 *     RLP header of the payload (0xb9, two bytes)    3
 *     AES-GCM tag                                   16
 *
 * which is 107, and leaves 1,173 bytes. A packet beside a handshake has less room. But uTP follows Portal messages, so
 * a session exists, and discovery queues packets that do not fit.
 */
const DISCV5_MAX_PACKET_BYTES = 1280
const TALKREQ_OVERHEAD_BYTES = 16 + 23 + 32 + 1 + 3 + 9 + 4 + 3 + 16

/** The largest uTP packet, header included: 1,173 bytes. */
export const MAX_UTP_PACKET_BYTES = DISCV5_MAX_PACKET_BYTES - TALKREQ_OVERHEAD_BYTES
