/** How a stream ends if both sides behave. Only this file decides it, by what each half knows. */
import type { StreamErrorCode } from '../../errors.ts'
import type { StreamLimits } from '../limits.ts'
import type { Receiver } from '../receiving/receiver.ts'
import type { Sender } from '../sending/sender.ts'
import { decodeResetReason } from '../wire/reset-reason.ts'

export interface StreamEnd {
  readonly reason: 'finished' | StreamErrorCode
  readonly detail: string
  /** Of a RESET: why the peer gave up, if it said so. */
  readonly peerReason?: StreamErrorCode | undefined
}

export const FINISHED: StreamEnd = { reason: 'finished', detail: 'both ends have finished' }

/** After the peer's own FIN, this many timeouts of ours mean that the peer has everything and is gone. */
const MAX_FIN_TIMEOUTS = 2

/**
 * 'finished' if neither side has anything left to send; 'awaiting-peer' if our FIN is acknowledged and only the peer's
 * is missing; undefined as long as the stream goes on.
 */
export function endingOf(
  sender: Sender,
  receiver: Receiver,
  allowHalfOpen: boolean,
): 'finished' | 'awaiting-peer' | undefined {
  const { isPeerFinished } = receiver
  if (sender.isFinAcknowledged) {
    if (isPeerFinished) return 'finished'
    // One writer, whose FIN is acknowledged: every client of the network ends here (libutp, nim-eth, utp-rs "One-way
    // Fin").
    return !allowHalfOpen && sender.writtenBytes > 0 && !receiver.hasPeerWritten ? 'finished' : 'awaiting-peer'
  }
  if (!isPeerFinished) return undefined
  if (!allowHalfOpen && sender.writtenBytes === 0 && !sender.isOnlyFinOutstanding) return 'finished'
  return sender.isOnlyFinOutstanding && sender.consecutiveTimeouts >= MAX_FIN_TIMEOUTS ? 'finished' : undefined
}

/** The end that a timer brings (deadlines.ts). */
export function endByTimer(timer: 'total' | 'connect' | 'idle' | 'finish', limits: StreamLimits): StreamEnd {
  const { totalTimeoutMs, connectTimeoutMs, idleTimeoutMs } = limits
  switch (timer) {
    case 'total':
      return { reason: 'STREAM_TIMEOUT', detail: `expected the end of the stream within ${totalTimeoutMs} ms` }
    case 'connect':
      return { reason: 'STREAM_CONNECT_TIMEOUT', detail: `expected a connection within ${connectTimeoutMs} ms` }
    case 'idle':
      return { reason: 'STREAM_IDLE', detail: `expected a packet within ${idleTimeoutMs} ms` }
    case 'finish':
      return FINISHED
  }
}

/** The end that a RESET brings. Its payload may say why. */
export function endByReset(sender: Sender, receiver: Receiver, payload: Uint8Array): StreamEnd {
  if (hasPeerEverything(sender, receiver)) return FINISHED
  const peerReason = decodeResetReason(payload)
  const detail = `the peer reset the stream${peerReason === undefined ? '' : `: ${peerReason}`}`
  return { reason: 'STREAM_RESET', detail, peerReason }
}

/**
 * Whether a RESET comes from a peer that has everything and whose socket is gone. nim-eth drops a stream when its FIN
 * is acknowledged, or when it has read the peer's FIN: if its ack was lost, our repeated FIN gets a RESET. nimbus drops
 * the socket with the last byte of an item, because it knows the length: our first FIN arrives after the socket is
 * gone.
 */
function hasPeerEverything(sender: Sender, receiver: Receiver): boolean {
  if (sender.isFinAcknowledged || sender.isFinRepeated) return true
  if (!sender.isOnlyFinOutstanding) return false
  return receiver.isPeerFinished || (sender.writtenBytes > 0 && !receiver.hasPeerWritten)
}
