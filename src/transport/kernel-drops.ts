import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import type { Endpoint } from './datagram.ts'

/**
 * Datagrams that Linux dropped because the receive buffer of the socket bound to `local` was full: the last column of
 * /proc/net/udp and /proc/net/udp6. 0 if there is no such file (node:dgram does not offer SO_RXQ_OVFL).
 */
export function kernelDrops(local: Endpoint): number {
  const table = isIPv6(local.host) ? '/proc/net/udp6' : '/proc/net/udp'
  try {
    return dropsIn(readFileSync(table, 'latin1'), local)
  } catch {
    return 0
  }
}

/** The same, from the text of such a file. */
export function dropsIn(table: string, local: Endpoint): number {
  const port = local.port.toString(16).toUpperCase().padStart(4, '0')
  const address = isIPv6(local.host) ? undefined : hexOfIPv4(local.host)
  let drops = 0
  for (const line of table.split('\n').slice(1)) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops
    const columns = line.trim().split(/\s+/)
    const [at, on] = (columns[1] ?? '').split(':')
    if (on !== port || (address !== undefined && at !== address)) continue
    drops += Number(columns[columns.length - 1]) || 0
  }
  return drops
}

/**
 * The kernel prints the address as a number in the byte order of the machine: little-endian for Node.js everywhere but
 * on s390x.
 */
function hexOfIPv4(host: string): string {
  return host
    .split('.')
    .reverse()
    .map(part => Number(part).toString(16).toUpperCase().padStart(2, '0'))
    .join('')
}
