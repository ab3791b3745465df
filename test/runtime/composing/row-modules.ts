/** Behaviours that the tests of compositions place on lanes. */
import { threadId } from 'node:worker_threads'
import { type Behavior, behavior, type Ref, type ReplyTo } from 'spimpl-runtime'

export type Told = { readonly type: 'told'; readonly what: string }
export type Placed =
  | { readonly type: 'thread'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'name'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'crash' }
  | { readonly type: 'die' }

export interface PlacedInput {
  readonly name: string
  readonly to: Ref<Told>
}

/** Says where it is, and tells another row of its starts and stops. */
export function placed({ name, to }: PlacedInput): Behavior<Placed> {
  return behavior<Placed>(context => {
    to.tell({ type: 'told', what: `+${name}` })
    context.onStop(() => void to.tell({ type: 'told', what: `-${name}` }))
    return {
      thread: ({ replyTo }) => void replyTo.tell(threadId),
      name: ({ replyTo }) => void replyTo.tell(name),
      crash: () => {
        throw new RangeError(`${name} crashed`)
      },
      die: () => process.exit(3),
    }
  })
}

/** Fails in its `setup`. */
export function broken(): Behavior<Placed> {
  return behavior<Placed>(() => {
    throw new RangeError('broken on its lane')
  })
}

export const noBehavior = 5
