/** What a user plugs in throws, in a queue, a log and a listener; the drain that called it goes on. Prints what happened. */
import { behavior, DispatchQueue, System } from '../../../src/runtime/runtime.ts'

type Work = { readonly type: 'fail' } | { readonly type: 'count' } | { readonly type: 'watch' }

const said: string[] = []
process.on('uncaughtException', error => said.push(`uncaught: ${error.message}`))
const turn = () => new Promise(resolve => setImmediate(resolve))

const queue = new DispatchQueue('faulty', {
  onError: () => {
    throw new Error('onError')
  },
})
queue.async(() => {
  throw new Error('work')
})
queue.async(() => said.push('the queue goes on'))
await turn()

await using system = new System({
  log: () => {
    throw new Error('log')
  },
})
system.deadLetters.subscribe(() => {
  throw new Error('listener')
})
const other = system.spawn(behavior<Work>(() => ({ fail: () => {}, count: () => {}, watch: () => {} })))
const worker = system.spawn(
  behavior<Work>(context => ({
    fail: () => {
      throw new Error('handler')
    },
    count: () => void said.push('the actor goes on'),
    watch: () =>
      context.watch(other, () => {
        throw new Error('notice')
      }),
  })),
  { mailbox: { capacity: 3 } },
)
for (const type of ['fail', 'count', 'watch'] as const) worker.tell({ type })
said.push(`told: ${worker.tell({ type: 'count' })}`)
await turn()
system.stopActor(other)
await turn()
said.push(`actors: ${system.actorCount}, restarts: ${system.inspect().children.at(-1)?.restarts}`)
console.log(said.join('\n'))
