import { behavior, formatTree, System } from 'spimpl/runtime'

type Part = { readonly type: 'nothing' }
const part = behavior<Part>(context => {
  context.onStop(() => console.log(`${context.path} stops`))
  return { nothing: () => {} }
})

const node = behavior<Part>(
  context => {
    for (const name of ['storage', 'transport', 'discovery']) context.spawn(part, { name, restart: 'permanent' })
    return { nothing: () => {} }
  },
  { supervision: { strategy: 'rest-for-one', backoff: { minMs: 100, maxMs: 10_000, jitter: 0.2 } } },
)

const system = new System({
  phases: [
    { name: 'front', deadlineMs: 1_000 },
    { name: 'back', deadlineMs: 5_000 },
  ],
})
system.spawn(node, { name: 'node', phase: 'back' })
system.spawn(part, { name: 'api', phase: 'front' })
await new Promise(resolve => setImmediate(resolve))
console.log(formatTree(system.inspect()))
const report = await system.stop()
console.log(report.late.length === 0 ? 'all in time' : report.late.join())
