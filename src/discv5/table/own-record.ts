import { SpimplError } from '../../errors.ts'
import { endpointEntries, type RecordChanges } from '../../identity/publishable-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import type { Context } from '../context.ts'
import type { Session } from '../sessions/session.ts'
import { addressScope } from '../wire/address.ts'
import { AddressVote, isBetterAddress } from './address-vote.ts'

/**
 * Publishes new versions of the own record: for changes of the user, and for the address that a majority of peers sees.
 */
export class OwnRecord {
  readonly #context: Context
  readonly #adoptsAddress: boolean
  readonly #votes: AddressVote

  /** @param adoptsAddress whether an address that wins the vote is published */
  constructor(context: Context, adoptsAddress: boolean) {
    const { addressVoters, addressMajority, addressVoteMs } = context.limits
    this.#context = context
    this.#adoptsAddress = adoptsAddress
    this.#votes = new AddressVote({ capacity: addressVoters, majority: addressMajority, lifetimeMs: addressVoteMs })
  }

  /** A PONG of a peer named this address as ours. */
  named(session: Session, endpoint: Endpoint): void {
    const { own, turn, counters } = this.#context
    if (!this.#adoptsAddress) return
    counters.add('addressVotes')
    // Keys are free, addresses are not: all nodes at one global address are one voter.
    const { host } = session.endpoint
    this.#votes.add(addressScope(host) === 'global' ? host : session.nodeIdHex, endpoint, turn.now)
    const family = endpoint.host.includes(':') ? 'IPv6' : 'IPv4'
    const winner = this.#votes.winner(family)
    const published = family === 'IPv6' ? own.current.endpoint6 : own.current.endpoint4
    if (winner === undefined || !isBetterAddress(winner, published)) return
    // Entries of the user may leave no room for the address.
    if (this.#publish(endpointEntries(winner)) !== undefined) counters.add('addressesUnpublished')
  }

  /** Changes entries at the user's request. */
  set(ref: number, entries: RecordChanges): void {
    const { own, turn } = this.#context
    const error = this.#publish(entries)
    turn.emit(
      error === undefined ? { type: 'record-set', ref, record: own.current } : { type: 'record-refused', ref, error },
    )
  }

  /** @returns why the changes were refused, if they were */
  #publish(changes: RecordChanges): SpimplError | undefined {
    const { own, turn } = this.#context
    const before = own.current
    try {
      own.set(changes)
    } catch (error) {
      if (error instanceof SpimplError) return error
      throw error
    }
    const record = own.publish()
    if (record !== before) turn.emit({ type: 'record-changed', record })
    return undefined
  }
}
