/** The two connection ids of one end of a stream. */
export interface ConnectionIds {
  /** The id in packets that arrive. */
  readonly receiveId: number
  /** The id in packets that leave; a SYN carries `receiveId` instead. */
  readonly sendId: number
}

/**
 * The initiator receives with the id of the Portal message and sends with the following one, the acceptor the other way
 * round.
 *
 * @throws RangeError for an id that is no 16-bit number
 */
export function connectionIds(connectionId: number, initiator: boolean): ConnectionIds {
  if (!Number.isInteger(connectionId) || connectionId < 0 || connectionId > 0xffff)
    throw new RangeError(`expected a connection id of 16 bits, got ${connectionId}`)
  const following = (connectionId + 1) & 0xffff
  return initiator ? { receiveId: connectionId, sendId: following } : { receiveId: following, sendId: connectionId }
}
