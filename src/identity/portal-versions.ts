import { encodeRlp, type RlpReader, readRlp, uintBytes } from '../codec/rlp.ts'

/** The Portal Network entries of a record (portal-wire-protocol.md, "ENR record" and "Protocol Version"). */
export interface PortalVersions {
  readonly min: number
  readonly max: number
  /** Undefined in records of versions 0 and 1, which lack it. */
  readonly chainId: bigint | undefined
}

/** The key for versions from 2 on. */
export const PORTAL_KEY = 'p'

/** The key for versions 0 and 1: an SSZ List[uint8, 8], one byte for each version. */
export const LEGACY_PORTAL_KEY = 'pv'

const MAX_LEGACY_VERSIONS = 8

/** The value of `p`: the RLP list [min, max, chainId]. The record holds it as a list, not wrapped into a string. */
export function encodePortalVersions(versions: PortalVersions & { readonly chainId: bigint }): Uint8Array {
  return encodeRlp([uintBytes(versions.min), uintBytes(versions.max), uintBytes(versions.chainId)])
}

/**
 * Reads `p`. Items after the third are later additions and ignored, as the specification requires.
 *
 * @param value the list; some records hold it as a list (nimbus), others wrapped into a string
 */
export function decodePortalVersions(value: Uint8Array): PortalVersions | undefined {
  const result = readRlp(value, (reader: RlpReader) => {
    const list = reader.readList()
    const versions = { min: list.readUint(1), max: list.readUint(1), chainId: list.readBigUint(32) }
    while (!list.atEnd) list.skipChecked()
    return versions
  })
  return result.ok && result.value.min <= result.value.max ? result.value : undefined
}

/** Reads `pv`. */
export function decodeLegacyVersions(value: Uint8Array): PortalVersions | undefined {
  if (value.length === 0 || value.length > MAX_LEGACY_VERSIONS) return undefined
  return { min: Math.min(...value), max: Math.max(...value), chainId: undefined }
}
