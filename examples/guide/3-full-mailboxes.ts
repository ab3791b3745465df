import { behavior, System } from 'spimpl/runtime'

type Log = { readonly type: 'line'; readonly text: string }

const log = behavior<Log>(() => ({ line: ({ text }) => console.log(text) }))

await using system = new System()
system.deadLetters.subscribe(({ reason, path }) => console.log(`${path}: ${reason}`))
const ref = system.spawn(log, { name: 'log', mailbox: { capacity: 2, overflow: 'reject' } })
for (const text of ['one', 'two', 'three']) console.log(ref.tell({ type: 'line', text }))
await new Promise(resolve => setTimeout(resolve, 200))
