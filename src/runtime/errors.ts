import { inspect } from 'node:util'

/**
 * The closed union of error codes. A code is stable: scripts and supervisors match on it, people read the message.
 *
 * A program or a library adds its own block of codes by declaration merging:
 *
 *     declare module 'spimpl-runtime/errors' {
 *       interface ErrorCodes { readonly myLibrary: 'ORDER_REJECTED' | 'ORDER_LATE' }
 *     }
 */

/** What the actor runtime reports to programs built on it. */
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
  | 'START_FAILED'
  | 'START_TIMEOUT'
  | 'LANE_DIED'
  | 'THREAD_DIED'
  | 'MESSAGE_NOT_CLONEABLE'
  | 'POOL_FULL'
  | 'POOL_CLOSED'
  | 'TASK_TIMEOUT'
  | 'TASK_ABORTED'
  | 'REF_FOREIGN'
  | 'EXPECTATION_FAILED'
  | 'EXECUTOR_UNAVAILABLE'
  | 'CONFIG_INVALID'
  | 'INVARIANT_BROKEN'

/** One block of codes for each library; `spimpl` and your program add theirs by declaration merging. */
export interface ErrorCodes {
  readonly runtime: RuntimeErrorCode
}

/** Every code that a `SpimplError` or a refused `Result` can have. */
export type ErrorCode = ErrorCodes[keyof ErrorCodes]

/** The longest text of a value in an error. */
const RECEIVED_CHARACTERS = 80

/**
 * A value as the text of an error shows it: NaN, undefined and bigint as a program writes them, objects in one line
 * and cut short, a function as `a function`. Never for secrets.
 */
export function received(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 4 })
  return text.length > RECEIVED_CHARACTERS ? `${text.slice(0, RECEIVED_CHARACTERS)}...` : text
}

/**
 * The one error class. `message` says what was expected and what was received.
 *
 * @example
 * const error = new SpimplError('CONFIG_INVALID', 'expected a capacity above 0, got -1')
 */
export class SpimplError extends Error {
  override readonly name = 'SpimplError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Parsers of hostile input return this and never throw: the value, or a reason, which is counted. */
export type Result<T, Code extends ErrorCode = ErrorCode> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Code; readonly detail: string }

/** The value that a parser of hostile input returns. */
export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** The reason that a parser of hostile input returns; `detail` says what was expected and what was received. */
export const refused = <Code extends ErrorCode>(
  code: Code,
  detail: string,
): { readonly ok: false; readonly code: Code; readonly detail: string } => ({ ok: false, code, detail })

/** Turns a refused result into a thrown error, for callers whose input is a user's and not the network's. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new SpimplError(result.code, result.detail)
}
