import type { Logger } from 'pino'
import type { PortalNetwork } from '../node/options/networks.ts'
import { toHex } from '../src/codec/hex.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'

/**
 * Asks an execution client for block 0, which every client has, and reports at once what would otherwise show only as
 * content that is never valid: a client that does not answer (its Engine API wants a token, its JSON-RPC is off), or a
 * client of another chain.
 */
export async function checkHeaders(
  headers: HeaderSource,
  network: PortalNetwork,
  log: Pick<Logger, 'warn' | 'error'>,
  signal: AbortSignal,
): Promise<void> {
  const genesis = await headers.headerByNumber(0n, signal)
  if (signal.aborted) return
  if (!genesis.ok) {
    log.warn(
      { reason: genesis.detail },
      '--headers: expected block 0, got none: nothing is validated until there are headers',
    )
    return
  }
  const got = toHex(genesis.value.hash)
  const expected = network.genesisHash
  if (got === expected) return
  log.error(
    { expected, got },
    `--headers: expected the chain of --network ${network.name}, got another: nothing will be valid`,
  )
}
