import { isIPv4, isIPv6 } from 'node:net'

/**
 * The literal of an address of 4 or 16 bytes, in the form of the socket layer, so that literals can be compared: dotted
 * decimals, or RFC 5952 (lower case, the longest run of zero groups shortened, IPv4-mapped addresses ending in dotted
 * decimals).
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups: number[] = []
  for (let at = 0; at < 16; at += 2) groups.push(bytes[at]! * 256 + bytes[at + 1]!)
  if (groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join('.')}`
  }
  const run = longestZeroRun(groups)
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map(group => group.toString(16))
      .join(':')
  return run === undefined ? text(0, 8) : `${text(0, run.from)}::${text(run.to, 8)}`
}

/** The 4 or 16 bytes of a literal; undefined for any other text. A zone (`%eth0`) is not part of an address. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  if (!isIPv6(text) || text.includes('%')) return undefined
  const [head = '', tail] = text.split('::')
  const before = groupBytes(head)
  const after = tail === undefined ? [] : groupBytes(tail)
  return Uint8Array.from([...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after])
}

function groupBytes(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

/** The first of the longest runs of two or more zero groups (RFC 5952, section 4.2). */
function longestZeroRun(groups: readonly number[]): { from: number; to: number } | undefined {
  let best: { from: number; to: number } | undefined
  let from = 0
  for (let at = 0; at <= groups.length; at++) {
    if (groups[at] === 0) continue
    if (at - from >= 2 && (best === undefined || at - from > best.to - best.from)) best = { from, to: at }
    from = at + 1
  }
  return best
}
