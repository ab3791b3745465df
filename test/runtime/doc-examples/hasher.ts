import { createHash } from 'node:crypto'
import { behavior } from 'spimpl-runtime'
import type { Hash } from './names.ts'

/** What the example of `system.lane` places on its lane. */
export const hasher = behavior<Hash>(() => ({
  hash: ({ text, replyTo }) => {
    replyTo.tell(createHash('sha256').update(text).digest('hex').slice(0, 8))
  },
}))
