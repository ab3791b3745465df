import { toHex } from '../../codec/hex.ts'
import type { ErrorCode } from '../../errors.ts'

/**
 * No body or receipts list is larger. EIP-7934 keeps blocks below 10 MiB; before it, 45 million gas of calldata at 4
 * gas a byte could make 11.25 MB. Log data costs 8 gas a byte, and a log without any 375 gas for 24 bytes.
 */
export const MAX_CONTENT_BYTES = 16 * 1024 * 1024

/**
 * Why content is refused, on its way to the validating function that turns it into a Result. It never leaves this
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

/** Content that is well formed and not what the header commits to. */
export function contradicts(code: ErrorCode, expected: Uint8Array, got: Uint8Array): ContentFault {
  return new ContentFault(code, `expected ${toHex(expected)} as the header says, got ${toHex(got)}`)
}
