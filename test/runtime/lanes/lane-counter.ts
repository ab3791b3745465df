import { behavior, type ReplyTo } from 'spimpl-runtime'

type Counted =
  | { readonly type: 'number'; readonly n: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }

/** Adds up numbers. */
export const counter = behavior<Counted>(() => {
  let sum = 0
  return {
    number: ({ n }) => {
      sum += n
    },
    read: ({ replyTo }) => void replyTo.tell(sum),
  }
})
