import type { Deadline } from 'spimpl-runtime/core'
import type { PendingItem } from './validation/pending-item.ts'

/** The deadlines of validation: an item waits for one of them. */
export type ValidationDeadline =
  /** The header source has not answered: HEADER_UNAVAILABLE, or the refusal that was in doubt. */
  | Deadline<'header', PendingItem>
  /** The compute pool has not answered: VALIDATION_LIMIT. */
  | Deadline<'compute', PendingItem>
