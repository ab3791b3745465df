import { toHex } from '../../codec/hex.ts'
import type { ErrorCode } from '../../errors.ts'

/**
 * The largest body or receipts list. EIP-7934 keeps blocks below 10 MiB; before it, 45 million gas of calldata at 4 gas
 * for a byte could make 11.25 MB. Log data costs 8 gas for a byte, and an empty log 375 gas for 24 bytes.
 */
export const MAX_CONTENT_BYTES = 16 * 1024 * 1024

/**
 * The reason of a refusal, on its way to the validating function that turns it into a Result. It never leaves this
 * folder.
 */
export class ContentFault extends Error {
  override readonly name = 'ContentFault'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The fault of well-formed content that the header does not commit to. */
export function contradicts(code: ErrorCode, expected: Uint8Array, got: Uint8Array): ContentFault {
  return new ContentFault(code, `expected ${toHex(expected)} as the header says, got ${toHex(got)}`)
}
