import { behavior, composition, formatTree } from 'spimpl/runtime'

type Part = { readonly type: 'nothing' }
const part = behavior<Part>(context => {
  context.onStop(() => console.log(`${context.path} stops`))
  return { nothing: () => {} }
})

const example = composition('example')
  .supervisor('node', {
    backoff: { minMs: 100, maxMs: 10_000, jitter: 0.2 },
    phase: { name: 'back', deadlineMs: 5_000 },
  })
  .with('storage', { behavior: () => part })
  .with('transport', { behavior: () => part })
  .with('discovery', { needs: ['transport'], behavior: () => part })
  .supervisor('front', { phase: { name: 'front', deadlineMs: 1_000 } })
  .with('api', { needs: ['storage', 'discovery'], behavior: () => part })

console.log(`${example}`)
const running = await example.start()
console.log(formatTree(running.system.inspect()))
const report = await running.stop()
console.log(report.late.length === 0 ? 'all in time' : report.late.join())
