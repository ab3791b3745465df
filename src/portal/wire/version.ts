import { ok, type Result, refused } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { LEGACY_PORTAL_KEY, PORTAL_KEY } from '../../identity/portal-versions.ts'

/** Versions of the wire protocol that we speak (protocol-version-changelog.md). */
export const MIN_VERSION = 0
export const MAX_VERSION = 2

/** Before version 2 a record named no chain, because there was only mainnet. */
const LEGACY_CHAIN = 1n

/** The versions and the chain that a node speaks, by its record. */
export interface PortalSupport {
  readonly min: number
  readonly max: number
  readonly chainId: bigint
}

/**
 * The versions of a node, by the entry `p` of its record, by the older list `pv`, or version 0 if it has neither
 * (portal-wire-protocol.md, ENR record). Undefined for a malformed entry or an inverted range: such a node speaks none.
 */
export function portalSupport(record: NodeRecord): PortalSupport | undefined {
  const { portal } = record
  if (portal !== undefined) return { ...portal, chainId: portal.chainId ?? LEGACY_CHAIN }
  const hasNeither = record.get(PORTAL_KEY) === undefined && record.get(LEGACY_PORTAL_KEY) === undefined
  return hasNeither ? { min: 0, max: 0, chainId: LEGACY_CHAIN } : undefined
}

/** Whether the record announces Portal at all. Discovery meets other nodes, too. */
export const announcesPortal = (record: NodeRecord): boolean => record.portal !== undefined

/** The highest version that both speak, if they are on one chain. */
export function negotiate(
  own: PortalSupport,
  peer: PortalSupport | undefined,
): Result<number, 'PORTAL_VERSION_MISMATCH' | 'PORTAL_CHAIN_MISMATCH'> {
  if (peer === undefined) return refused('PORTAL_VERSION_MISMATCH', 'the Portal entry of the record is malformed')
  if (own.chainId !== peer.chainId) {
    return refused('PORTAL_CHAIN_MISMATCH', `expected chain ${own.chainId}, the peer is on ${peer.chainId}`)
  }
  const version = Math.min(own.max, peer.max)
  if (version < Math.max(own.min, peer.min)) {
    return refused(
      'PORTAL_VERSION_MISMATCH',
      `expected a version of ${own.min} to ${own.max}, the peer speaks ${peer.min} to ${peer.max}`,
    )
  }
  return ok(version)
}

/** Whether content of FIND_CONTENT over uTP is preceded by its length as a varint. Offered items always are. */
export const prefixesFoundContent = (version: number): boolean => version >= 1
