import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** Where `go install github.com/ethereum/go-ethereum/cmd/devp2p@v1.17.10` leaves it, or where SPIMPL_DEVP2P says. */
export function devp2p(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const candidates = [...folders, path.join(homedir(), 'go', 'bin')].map(folder => path.join(folder, 'devp2p'))
  const named = process.env.SPIMPL_DEVP2P
  return [...(named === undefined ? [] : [named]), ...candidates].find(existsSync)
}

/** Every test of the suite. */
export const CASES = [
  'Ping',
  'PingLargeRequestID',
  'PingMultiIP',
  'HandshakeResend',
  'TalkRequest',
  'FindnodeWrongIP',
  'FindnodeHandshake',
  'FindnodeZeroDistance',
  'FindnodeResults',
  'UnsolicitedNodes',
]
