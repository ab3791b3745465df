import type { Randomness } from 'spimpl-runtime'
import { Deadlines, Turn } from 'spimpl-runtime/core'
import { DEFAULT_IP_LIMITS, type IpLimits, RoutingTable } from '../../discv5/table/routing-table.ts'
import { type Result, SpimplError } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import { type OverlayCounters, overlayCounters } from '../counters.ts'
import type { OverlayDeadlines } from '../deadlines.ts'
import { type OverlayLimits, overlayLimits } from '../limits.ts'
import type { ContentName, OverlayOutput } from '../messages.ts'
import { negotiate, type PortalSupport, portalSupport } from '../wire/version.ts'
import { Profiles } from './profiles.ts'
import { OwnRadius } from './radius.ts'

/** What an `Overlay` is made of: one sub-network, as one node sees it. */
export interface OverlayOptions {
  /** The TALKREQ protocol id of the sub-network, for instance the bytes 0x50 0x00 of history. */
  readonly protocol: Uint8Array
  /** Our own record. Its Portal entry names the versions and the chain. */
  readonly record: NodeRecord
  /** Our own radius, 0 to 2^256 - 1. */
  readonly radius: bigint
  /** The content id (32 bytes) of a key; undefined for bytes that are no key of the sub-network. */
  readonly contentId: (key: Uint8Array) => Uint8Array | undefined
  /** Decodes and verifies the records in answers of peers. */
  readonly records: RecordDecoder
  readonly randomness: Randomness
  /**
   * name/version-commit/os-cpu/language, at most 200 bytes; empty for privacy (ping-extensions/extensions/type-0.md).
   */
  readonly clientInfo: string
  readonly limits?: Partial<OverlayLimits>
  /** Nodes of one subnet in the routing table; `undefined` for no limit. Default: 2 in a bucket, 10 in the table. */
  readonly ipLimits?: IpLimits | undefined
}

/** A node of the overlay's own routing table. */
export interface Member {
  readonly record: NodeRecord
}

/** What all parts of one overlay share: our own record and radius, the nodes we know, limits, counters and timers. */
export class OverlayState {
  readonly protocol: Uint8Array
  readonly contentId: (key: Uint8Array) => Uint8Array | undefined
  readonly records: RecordDecoder
  readonly randomness: Randomness
  readonly clientInfo: string
  readonly limits: OverlayLimits
  readonly counters: OverlayCounters = overlayCounters()
  readonly deadlines: OverlayDeadlines = new Deadlines()
  readonly turn = new Turn<OverlayOutput>()
  readonly table: RoutingTable<Member>
  readonly profiles: Profiles
  readonly radius: OwnRadius
  #record: NodeRecord
  #support: PortalSupport
  #lastRef = 0

  constructor(options: OverlayOptions) {
    this.protocol = options.protocol
    this.contentId = options.contentId
    this.records = options.records
    this.randomness = options.randomness
    this.clientInfo = options.clientInfo
    this.limits = overlayLimits(options.limits)
    this.table = new RoutingTable({
      localId: options.record.nodeId,
      bucketSize: this.limits.bucketSize,
      ipLimits: 'ipLimits' in options ? options.ipLimits : DEFAULT_IP_LIMITS,
    })
    this.profiles = new Profiles(this.limits.profiles, nodeIdHex => this.table.get(nodeIdHex) !== undefined)
    this.radius = new OwnRadius(options.radius)
    this.#record = options.record
    this.#support = requireSupport(options.record)
  }

  get record(): NodeRecord {
    return this.#record
  }

  /** Our own record changed. */
  adoptRecord(record: NodeRecord): void {
    this.#support = requireSupport(record)
    this.#record = record
  }

  /** A number for what the overlay begins by itself: negative, and never used twice. Callers use positive ones. */
  ownRef(): number {
    this.#lastRef -= 1
    return this.#lastRef
  }

  /** The version to speak with this node. */
  version(record: NodeRecord): Result<number, 'PORTAL_VERSION_MISMATCH' | 'PORTAL_CHAIN_MISMATCH'> {
    return negotiate(this.#support, portalSupport(record))
  }

  isSelf(nodeIdHex: string): boolean {
    return nodeIdHex === this.#record.nodeIdHex
  }

  /** Whether content lies within our own radius. */
  wants(contentId: Uint8Array): boolean {
    return this.radius.covers(this.#record.nodeId, contentId)
  }

  /** Whether a node's radius is known and covers the content. */
  isInterested(node: NodeRecord, contentId: Uint8Array): boolean {
    return this.profiles.peek(node.nodeIdHex)?.covers(node.nodeId, contentId) === true
  }

  /** The content with this key; undefined for bytes that are no key. */
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
  throw new SpimplError('ENR_FIELD_INVALID', 'expected a Portal entry (p) in our own record, got none')
}
