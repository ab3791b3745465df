/** How a stream comes to its end when both sides behave: read from what each half knows, decided nowhere else. */
import type { StreamErrorCode } from '../../errors.ts'
import type { Receiver } from '../receiving/receiver.ts'
import type { Sender } from '../sending/sender.ts'
import { decodeResetReason } from '../wire/reset-reason.ts'

export interface StreamEnd {
  readonly reason: 'finished' | StreamErrorCode
  readonly detail: string
  /** Of a RESET: why the peer gave up, where it said so. */
  readonly peerReason?: StreamErrorCode | undefined
}

export const FINISHED: StreamEnd = { reason: 'finished', detail: 'both ends have said all' }

/** A FIN that nobody answers, after the peer's own: its owner is gone, and had everything. */
const MAX_FIN_TIMEOUTS = 2

/**
 * 'finished' when there is nothing left to say for anybody; 'other-side' when ours is done and acknowledged and only the peer's FIN is
 * missing; undefined while there is something to do.
 */
export function endingOf(
  sender: Sender,
  receiver: Receiver,
  allowHalfOpen: boolean,
): 'finished' | 'other-side' | undefined {
  const peerFinished = receiver.received.finished
  if (sender.finAcknowledged) {
    if (peerFinished) return 'finished'
    // One writer, whose FIN is acknowledged: all clients of the network end here (libutp, nim-eth, utp-rs "One-way Fin").
    return !allowHalfOpen && sender.writtenBytes > 0 && !receiver.peerWrote ? 'finished' : 'other-side'
  }
  if (!peerFinished) return undefined
  if (!allowHalfOpen && sender.writtenBytes === 0 && !sender.onlyFinOutstanding) return 'finished'
  return sender.onlyFinOutstanding && sender.consecutiveTimeouts >= MAX_FIN_TIMEOUTS ? 'finished' : undefined
}

/** What a RESET means. `payload` of its packet: it may say why. */
export function endByReset(sender: Sender, receiver: Receiver, payload: Uint8Array): StreamEnd {
  if (hadEverything(sender, receiver)) return FINISHED
  const peerReason = decodeResetReason(payload)
  const detail = `the peer reset the stream${peerReason === undefined ? '' : `: ${peerReason}`}`
  return { reason: 'STREAM_RESET', detail, peerReason }
}

/**
 * Whether a RESET comes from a peer that has everything and is gone. It answers our FIN so where the ack of an earlier copy got lost
 * (nim-eth's streams vanish when their FIN is acknowledged, or when they have read the peer's), and already the first where it had the
 * length of what it read: nimbus drops its socket with the last byte of an item, and the FIN that is on its way finds nobody.
 */
function hadEverything(sender: Sender, receiver: Receiver): boolean {
  if (sender.finAcknowledged || sender.finRepeated) return true
  return sender.onlyFinOutstanding && (receiver.received.finished || (sender.writtenBytes > 0 && !receiver.peerWrote))
}
