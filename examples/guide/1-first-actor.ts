import { behavior, type ReplyTo, System } from 'spimpl/runtime'

type Counter =
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }

const counter = behavior<Counter>(() => {
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

await using system = new System()
const ref = system.spawn(counter, { name: 'counter' })
ref.tell({ type: 'add', by: 2 })
console.log(await ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 5_000 }))
