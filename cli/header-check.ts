import type { Logger } from 'pino'
import { toHex } from '../src/codec/hex.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import type { Network } from './options.ts'

/** The hash of block 0, by network. */
export const GENESIS_HASHES: Readonly<Record<Network, string>> = {
  mainnet: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
  sepolia: '0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9',
  hoodi: '0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b',
}

/**
 * Asks an execution client for block 0, which each has, and says at once what else would show only as content that is never valid: a
 * client that does not answer (its Engine API wants a token, its JSON-RPC is off), or one of another chain.
 */
export async function checkHeaders(
  headers: HeaderSource,
  network: Network,
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
  const expected = GENESIS_HASHES[network]
  if (got === expected) return
  log.error(
    { expected, got },
    `--headers: expected the chain of --network ${network}, got another: nothing will be valid`,
  )
}
