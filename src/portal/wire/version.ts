import { ok, type Result, refused } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { LEGACY_PORTAL_KEY, PORTAL_KEY } from '../../identity/portal-versions.ts'

/** Versions of the wire protocol that this client speaks (protocol-version-changelog.md). */
export const MIN_VERSION = 0
export const MAX_VERSION = 2

/** Before version 2 a record named no chain; the network was that of mainnet. */
const LEGACY_CHAIN = 1n

/** The versions and the chain that a record stands for. */
export interface PortalSupport {
  readonly min: number
  readonly max: number
  readonly chainId: bigint
}

/**
 * What a record says of its node: by `p`, else by the older list `pv`, else version 0 (portal-wire-protocol.md, ENR
 * record). Undefined where one of them is there but malformed, or its range is turned round: such a node speaks
 * nothing.
 */
export function portalSupport(record: NodeRecord): PortalSupport | undefined {
  const { portal } = record
  if (portal !== undefined) return { ...portal, chainId: portal.chainId ?? LEGACY_CHAIN }
  const silent = record.get(PORTAL_KEY) === undefined && record.get(LEGACY_PORTAL_KEY) === undefined
  return silent ? { min: 0, max: 0, chainId: LEGACY_CHAIN } : undefined
}

/** Whether the record says anything of Portal: without that a node met in discovery is left alone. */
export const announcesPortal = (record: NodeRecord): boolean => record.portal !== undefined

/** The highest version that both speak, where they are on one chain. */
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

/** Whether FIND_CONTENT over uTP has a varint of its length before it; an offered item always has. */
export const prefixesFoundContent = (version: number): boolean => version >= 1
