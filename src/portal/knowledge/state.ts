import type { Randomness } from 'spimpl-runtime'
import { DEFAULT_IP_LIMITS, type IpLimits, RoutingTable } from '../../discv5/table/routing-table.ts'
import { type Result, SpimplError } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import { Counters } from '../counters.ts'
import { defaultOverlayLimits, type OverlayLimits } from '../limits.ts'
import type { ContentName, Turn } from '../overlay-messages.ts'
import { Agenda } from '../waiting/agenda.ts'
import { negotiate, type PortalSupport, portalSupport } from '../wire/version.ts'
import { Profiles } from './profiles.ts'
import { covers, radiusBytes } from './radius.ts'

/** What an `Overlay` is made of: one sub-network, as one node sees it. */
export interface OverlayOptions {
  /** The TALKREQ protocol id of the sub-network, for instance the bytes 0x50 0x00 of history. */
  readonly protocol: Uint8Array
  /** The own record, with its Portal entry: it says the versions and the chain. */
  readonly record: NodeRecord
  /** The own radius, 0 to 2^256 - 1. */
  readonly radius: bigint
  /** The content id (32 bytes) of a key; undefined for bytes that are no key of the sub-network. */
  readonly contentId: (key: Uint8Array) => Uint8Array | undefined
  /** Decodes and verifies the records that peers tell of. */
  readonly records: RecordDecoder
  readonly randomness: Randomness
  /**
   * name/version-commit/os-cpu/language, at most 200 bytes; empty for privacy (ping-extensions/extensions/type-0.md).
   */
  readonly clientInfo: string
  readonly limits?: Partial<OverlayLimits>
  /** Nodes of one subnet in the routing table; `undefined` for no limit. 2 in a bucket and 10 in the table unless told. */
  readonly ipLimits?: IpLimits | undefined
}

/** A node of the overlay's own routing table. */
export interface Member {
  readonly record: NodeRecord
}

export type Job = (turn: Turn) => void

/** What all parts of one overlay share: who we are, whom we know, how much we take. */
export class OverlayState {
  readonly protocol: Uint8Array
  readonly contentId: (key: Uint8Array) => Uint8Array | undefined
  readonly records: RecordDecoder
  readonly randomness: Randomness
  readonly clientInfo: string
  readonly limits: OverlayLimits
  readonly counters = new Counters()
  readonly agenda = new Agenda<Job>()
  readonly table: RoutingTable<Member>
  readonly profiles: Profiles
  #record: NodeRecord
  #support: PortalSupport
  #radius: bigint
  #radiusBytes: Uint8Array
  #lastRef = 0

  constructor(options: OverlayOptions) {
    this.protocol = options.protocol
    this.contentId = options.contentId
    this.records = options.records
    this.randomness = options.randomness
    this.clientInfo = options.clientInfo
    this.limits = { ...defaultOverlayLimits, ...options.limits }
    this.table = new RoutingTable({
      localId: options.record.nodeId,
      bucketSize: this.limits.bucketSize,
      ipLimits: 'ipLimits' in options ? options.ipLimits : DEFAULT_IP_LIMITS,
    })
    this.profiles = new Profiles(this.limits.profiles, nodeIdHex => this.table.get(nodeIdHex) !== undefined)
    this.#record = options.record
    this.#support = requireSupport(options.record)
    this.#radius = options.radius
    this.#radiusBytes = radiusBytes(options.radius)
  }

  get record(): NodeRecord {
    return this.#record
  }

  set record(record: NodeRecord) {
    this.#support = requireSupport(record)
    this.#record = record
  }

  get support(): PortalSupport {
    return this.#support
  }

  get radius(): bigint {
    return this.#radius
  }

  set radius(radius: bigint) {
    this.#radius = radius
    this.#radiusBytes = radiusBytes(radius)
  }

  /** A number for a request, question or transfer of ours; never used twice. */
  nextRef(): number {
    this.#lastRef += 1
    return this.#lastRef
  }

  /** The version to speak with this node. */
  version(record: NodeRecord): Result<number, 'PORTAL_VERSION_MISMATCH' | 'PORTAL_CHAIN_MISMATCH'> {
    return negotiate(this.#support, portalSupport(record))
  }

  isSelf(nodeIdHex: string): boolean {
    return nodeIdHex === this.#record.nodeIdHex
  }

  /** Whether content lies in the own radius. */
  wants(contentId: Uint8Array): boolean {
    return covers(this.#radiusBytes, this.#record.nodeId, contentId)
  }

  /** Whether a node's radius is known and covers the content. */
  isInterested(node: NodeRecord, contentId: Uint8Array): boolean {
    const radius = this.profiles.peek(node.nodeIdHex)?.radius
    return radius !== undefined && covers(radius, node.nodeId, contentId)
  }

  name(key: Uint8Array): ContentName | undefined {
    const contentId = this.contentId(key)
    return contentId === undefined ? undefined : { key, contentId }
  }

  /** A delay drawn from [from, to). */
  between(from: number, to: number): number {
    return from + ((to - from) * this.randomness.below(1 << 16)) / (1 << 16)
  }
}

function requireSupport(record: NodeRecord): PortalSupport {
  const support = record.portal === undefined ? undefined : portalSupport(record)
  if (support !== undefined) return support
  throw new SpimplError('ENR_FIELD_INVALID', 'expected the own record to have a Portal entry (p), it has none')
}
