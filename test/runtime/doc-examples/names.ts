import { behavior, type Ref, type ReplyTo, System } from 'spimpl-runtime'
import { setup } from 'xstate'

/** What the examples of doc comments use and do not declare. */

export type Counter =
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }

export const counter = behavior<Counter>(() => {
  let n = 0
  return {
    add: ({ by }) => {
      n += by
    },
    read: ({ replyTo }) => {
      replyTo.tell(n)
    },
  }
})

export const worker = counter

export const till = (stock: Ref<Counter>) =>
  behavior<{ readonly type: 'sold'; readonly pieces: number }>(() => ({
    sold: ({ pieces }) => void stock.tell({ type: 'add', by: -pieces }),
  }))

/** What `shelves` and `copies` were told to keep. */
export const kept: Uint8Array[] = []

const keeper = behavior<{ readonly type: 'keep'; readonly item: Uint8Array }>(() => ({
  keep: ({ item }) => void kept.push(item),
}))

/** An error that is only logged would go unseen. */
export const system = new System({
  log: ({ path, message, fields }) => {
    console.error(path, message, fields)
    process.exitCode = 1
  },
})

export const ref = system.spawn(counter)
export const shelves = system.spawn(keeper)
export const copies = system.spawn(keeper)

export type Answer = { readonly type: 'hello' }

export const greeter = behavior<{ readonly type: 'greet'; readonly answerTo: Ref<Answer> }>(() => ({
  greet: ({ answerTo }) => {
    answerTo.tell({ type: 'hello' })
  },
}))

export const door = setup({ types: { events: {} as { type: 'open' } | { type: 'close' } } }).createMachine({
  initial: 'closed',
  states: { closed: { on: { open: 'opened' } }, opened: { on: { close: 'closed' } } },
})

/** A module of tasks for the compute pool: this one. */
export const url = import.meta.url
export const trieRoot = (body: Uint8Array): Uint8Array => body.slice(0, 2)
export const body = Uint8Array.of(1, 2, 3)

export type Hash = { readonly type: 'hash'; readonly text: string; readonly replyTo: ReplyTo<string> }
