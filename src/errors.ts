/**
 * The closed union of error codes. A code is stable: scripts and supervisors match on it, people read the message.
 * Each floor keeps its own block, so that a reader sees what a floor can say.
 */

/** What the actor runtime says to those who use it. */
export type RuntimeErrorCode =
  | 'ACTOR_STOPPED'
  | 'ACTOR_FAILED'
  | 'ACTOR_LATE'
  | 'ACTOR_NAME_TAKEN'
  | 'ASK_TIMEOUT'
  | 'ASK_ABORTED'
  | 'ASK_SELF'
  | 'MAILBOX_FULL'
  | 'MESSAGE_UNKNOWN'
  | 'MESSAGE_DROPPED'
  | 'QUEUE_SYNC_ON_SELF'
  | 'QUEUE_SYNC_BLOCKED'
  | 'QUEUE_WRONG'
  | 'QUEUE_RELEASED'
  | 'QUEUE_TARGET_INVALID'
  | 'QUEUE_OVER_RESUMED'
  | 'GROUP_UNBALANCED'
  | 'RESTART_INTENSITY'
  | 'LANE_DIED'
  | 'MESSAGE_NOT_CLONEABLE'
  | 'POOL_FULL'
  | 'POOL_CLOSED'
  | 'TASK_TIMEOUT'
  | 'TASK_ABORTED'
  | 'REF_FOREIGN'
  | 'EXPECTATION_FAILED'
  | 'EXECUTOR_UNAVAILABLE'

/** Why bytes were refused by a codec. */
export type CodecErrorCode = 'RLP_INVALID' | 'VARINT_INVALID' | 'HEX_INVALID' | 'BASE64URL_INVALID'

/** Keys, node records, accounts and transactions. */
export type IdentityErrorCode =
  | 'KEY_INVALID'
  | 'ENR_TOO_LARGE'
  | 'ENR_MALFORMED'
  | 'ENR_KEYS_UNSORTED'
  | 'ENR_SCHEME_UNKNOWN'
  | 'ENR_SIGNATURE_INVALID'
  | 'ENR_FIELD_INVALID'
  | 'TRANSACTION_INVALID'

/** Datagrams and connections. */
export type TransportErrorCode = 'SOCKET_FAILED' | 'ADDRESS_INVALID' | 'ADDRESS_IN_USE'

/** Discovery v5. */
export type DiscoveryErrorCode =
  | 'MESSAGE_MALFORMED'
  | 'SESSION_FAILED'
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_LIMIT'
  | 'PEER_UNKNOWN'
  | 'PEER_NO_ENDPOINT'

/** uTP streams. */
export type StreamErrorCode =
  | 'STREAM_RESET'
  | 'STREAM_TIMEOUT'
  | 'STREAM_IDLE'
  | 'STREAM_TOO_LARGE'
  | 'STREAM_LIMIT'
  | 'STREAM_CLOSED'
  | 'STREAM_CONNECT_TIMEOUT'
  | 'STREAM_ID_TAKEN'
  | 'UTP_PACKET_MALFORMED'

/** The overlay and its contents. */
export type PortalErrorCode =
  | 'PORTAL_MESSAGE_MALFORMED'
  | 'PORTAL_VERSION_MISMATCH'
  | 'PORTAL_CHAIN_MISMATCH'
  | 'PORTAL_PAYLOAD_UNSUPPORTED'
  | 'PORTAL_PAYLOAD_MALFORMED'
  | 'CONTENT_KEY_INVALID'
  | 'CONTENT_NOT_FOUND'
  | 'CONTENT_TOO_LARGE'
  | 'CONTENT_INVALID'
  | 'HEADER_UNAVAILABLE'
  | 'TRANSFER_LIMIT'

/**
 * Why an item of the history network is refused. CONTENT_TOO_LARGE and HEADER_UNAVAILABLE belong to the same decision.
 * `..._MALFORMED`: not the encoding of the specification; `..._WRONG`: well formed, and not what the header commits to.
 */
export type HistoryErrorCode =
  | 'HEADER_MALFORMED'
  | 'HEADER_WRONG'
  | 'BODY_MALFORMED'
  | 'TRANSACTION_TYPE_UNKNOWN'
  | 'TRANSACTIONS_ROOT_WRONG'
  | 'OMMERS_HASH_WRONG'
  | 'WITHDRAWALS_WRONG'
  | 'WITHDRAWALS_ROOT_WRONG'
  | 'RECEIPTS_MALFORMED'
  | 'RECEIPTS_ROOT_WRONG'
  | 'VALIDATION_LIMIT'

/** The content store. */
export type StoreErrorCode = 'STORE_FAILED' | 'STORE_LOCKED' | 'STORE_CLOSED' | 'STORE_BUSY' | 'STORE_MISMATCH'

/** What the command line and the RPC server refuse. */
export type UsageErrorCode = 'USAGE' | 'CONFIG_INVALID' | 'FILE_INVALID' | 'RPC_INVALID_PARAMS'

/** Every code that a `SpimplError` or a refused `Result` can have. */
export type ErrorCode =
  | RuntimeErrorCode
  | CodecErrorCode
  | IdentityErrorCode
  | TransportErrorCode
  | DiscoveryErrorCode
  | StreamErrorCode
  | PortalErrorCode
  | HistoryErrorCode
  | StoreErrorCode
  | UsageErrorCode

/**
 * The one error class. `message` says what was expected and what came.
 *
 * @example
 * throw new SpimplError('KEY_INVALID', 'expected a private key of 32 bytes, got 31')
 */
export class SpimplError extends Error {
  override readonly name = 'SpimplError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Parsers of hostile input return this and never throw: a reason that is counted, or the value. */
export type Result<T, Code extends ErrorCode = ErrorCode> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Code; readonly detail: string }

/** The value that a parser of hostile input returns. */
export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** The reason that a parser of hostile input returns; `detail` says what was expected and what came. */
export const refused = <Code extends ErrorCode>(
  code: Code,
  detail: string,
): { readonly ok: false; readonly code: Code; readonly detail: string } => ({ ok: false, code, detail })

/** Turns a refused result into a thrown error, for callers whose input is a user's and not the network's. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new SpimplError(result.code, result.detail)
}
