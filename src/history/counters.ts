import type { CounterNames, Counters } from 'spimpl-runtime/core'
import type { ErrorCode } from '../errors.ts'

/** What validation counts: its verdicts. A refusal is counted under its code. */
export const VALIDATION_COUNTERS = {
  valid: 'items that are what their key names',
  CONTENT_KEY_INVALID: 'keys that are no content key of this network',
  CONTENT_TOO_LARGE: 'items above the largest content',
  BODY_MALFORMED: 'bodies that are not canonical RLP of a body',
  RECEIPTS_MALFORMED: 'receipts lists that are not canonical RLP of one',
  TRANSACTION_TYPE_UNKNOWN: 'bodies with a transaction of an unknown type',
  TRANSACTIONS_ROOT_WRONG: 'bodies with other transactions than the header commits to',
  OMMERS_HASH_WRONG: 'bodies with other ommers than the header commits to',
  WITHDRAWALS_WRONG: 'bodies with withdrawals where the header has none, or without where it has some',
  WITHDRAWALS_ROOT_WRONG: 'bodies with other withdrawals than the header commits to',
  RECEIPTS_ROOT_WRONG: 'other receipts than the header commits to',
  HEADER_UNAVAILABLE: 'items whose header the source did not give in time',
  HEADER_MALFORMED: 'items whose header the compute pool could not read',
  HEADER_WRONG: 'items that were compared with the header of another block',
  VALIDATION_LIMIT: 'items for which there was no room, or that the compute pool did not validate in time',
  other: 'refusals by any other code',
} satisfies CounterNames<string>

type VerdictName = keyof typeof VALIDATION_COUNTERS

export type ValidationCounters = Counters<VerdictName>

const isVerdictName = (code: string): code is VerdictName => Object.hasOwn(VALIDATION_COUNTERS, code)

/** The name under which a refusal is counted. */
export const refusalName = (code: ErrorCode): VerdictName => (isVerdictName(code) ? code : 'other')
