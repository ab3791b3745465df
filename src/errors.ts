/**
 * The error codes of the Portal node, one block for each floor, so that a reader sees what a floor can report.
 * The runtime's own block and the error class are in `spimpl-runtime/errors`.
 */
export { type ErrorCode, ok, type Result, received, refused, SpimplError, unwrap } from 'spimpl-runtime/errors'

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
export type UsageErrorCode = 'USAGE' | 'FILE_INVALID' | 'RPC_INVALID_PARAMS'

declare module 'spimpl-runtime/errors' {
  interface ErrorCodes {
    readonly codec: CodecErrorCode
    readonly identity: IdentityErrorCode
    readonly transport: TransportErrorCode
    readonly discovery: DiscoveryErrorCode
    readonly streams: StreamErrorCode
    readonly portal: PortalErrorCode
    readonly history: HistoryErrorCode
    readonly store: StoreErrorCode
    readonly usage: UsageErrorCode
  }
}
