import { type ErrorCode, SpimplError } from '../../errors.ts'

/** Numbers of JSON-RPC 2.0, of EIP-1474, and of the Portal specification (jsonrpc/src/errors/errors.json). */
export const RpcCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Any failure with a code of its own: `data.code` is the code of the `SpimplError`. */
  failed: -32000,
  /** EIP-1474, "resource unavailable": the call timed out, or the server is stopping. */
  unavailable: -32002,
  /** EIP-1474, "limit exceeded". */
  limitExceeded: -32005,
  contentNotFound: -39001,
  contentNotFoundWithTrace: -39002,
  payloadTypeNotSupported: -39004,
  payloadMalformed: -39005,
  payloadTypeRequired: -39006,
  payloadBlocked: -39007,
} as const

/** An error as a client receives it. Handlers throw it if the specification has a number for what happened. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

export const invalidParams = (detail: string): RpcError =>
  new RpcError(RpcCode.invalidParams, `Invalid params: ${detail}`)

/** Errors that refuse an argument, with the name of the argument. Nothing was done. */
const ARGUMENT_ERRORS: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  ['RPC_INVALID_PARAMS', ''],
  ['CONTENT_KEY_INVALID', 'contentKey: '],
  ['CONTENT_INVALID', 'contentValue: '],
  ['CONTENT_TOO_LARGE', 'contentValue: '],
  ['ENR_TOO_LARGE', 'socketAddr: '],
  ['ENR_FIELD_INVALID', 'socketAddr: '],
  ['PEER_NO_ENDPOINT', 'enr: '],
  ['REQUEST_TOO_LARGE', ''],
])

/**
 * Turns any thrown value into an error for the client. Anything but a `SpimplError` or `RpcError` is a defect of ours:
 * the operator gets it (`report`), the client learns only that there was one.
 */
export function toRpcError(thrown: unknown, report: (error: unknown) => void): RpcError {
  if (thrown instanceof RpcError) return thrown
  if (!(thrown instanceof SpimplError)) {
    report(thrown)
    return new RpcError(RpcCode.internalError, 'Internal error')
  }
  const data = { code: thrown.code }
  const argument = ARGUMENT_ERRORS.get(thrown.code)
  if (argument !== undefined) {
    return new RpcError(RpcCode.invalidParams, `Invalid params: ${argument}${thrown.message}`, data)
  }
  switch (thrown.code) {
    case 'CONTENT_NOT_FOUND':
      return new RpcError(RpcCode.contentNotFound, 'content not found')
    case 'PORTAL_PAYLOAD_UNSUPPORTED':
      return new RpcError(RpcCode.payloadTypeNotSupported, 'Payload type not supported', { reason: 'client' })
    case 'PORTAL_PAYLOAD_MALFORMED':
      return new RpcError(RpcCode.payloadMalformed, 'Failed to decode payload')
    default:
      return new RpcError(RpcCode.failed, thrown.message, data)
  }
}
