import { behavior, System, type Terminated } from 'spimpl/runtime'

type Worker = { readonly type: 'work'; readonly n: number }
type Boss = { readonly type: 'ended'; readonly notice: Terminated }

const worker = behavior<Worker>(context => {
  console.log('worker starts')
  context.onStop(() => console.log('worker stops'))
  return {
    work: ({ n }) => {
      if (n === 0) throw new Error('expected something to do')
      console.log(`worked on ${n}`)
    },
  }
})

const boss = behavior<Boss>(
  context => {
    const ref = context.spawn(worker, { name: 'worker' })
    context.watch(ref, notice => ({ type: 'ended', notice }))
    for (const n of [1, 0, 2]) ref.tell({ type: 'work', n })
    return { ended: ({ notice }) => console.log(`${notice.path} ${notice.reason.type}`) }
  },
  { supervision: { strategy: 'one-for-one', intensity: { restarts: 3, withinMs: 5_000 } } },
)

await using system = new System({ log: ({ path, message }) => console.log(`${path} ${message}`) })
system.spawn(boss, { name: 'boss' })
await new Promise(resolve => setTimeout(resolve, 200))
