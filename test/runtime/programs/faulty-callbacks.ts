/** What a user plugs in throws, in a queue, a log, a listener and a replyTo of his own; the drain that called it goes on. Prints what happened. */
import { behavior, DispatchQueue, type ReplyTo, System } from 'spimpl-runtime'

type Work =
  | { readonly type: 'fail'; readonly replyTo: ReplyTo<never> }
  | { readonly type: 'count' }
  | { readonly type: 'watch' }

const said: string[] = []
process.on('uncaughtException', error => said.push(`uncaught: ${error.message}`))
/** However many turns of the event loop that takes. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

const queue = new DispatchQueue('faulty', {
  onError: () => {
    throw new Error('onError')
  },
})
queue.async(() => {
  throw new Error('work')
})
queue.async(() => said.push('the queue goes on'))
await until(() => said.length === 2)

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
const replyTo: ReplyTo<never> = {
  tell: () => true,
  fail: () => {
    throw new Error('replyTo')
  },
}
worker.tell({ type: 'fail', replyTo })
for (const type of ['count', 'watch'] as const) worker.tell({ type })
said.push(`told: ${worker.tell({ type: 'count' })}`)
const inspected = () => system.inspect().children.find(({ path }) => path === worker.path)!
await until(() => inspected().processed === 3 && inspected().state === 'running')
system.stopActor(other)
await until(() => inspected().restarts === 2 && inspected().state === 'running')
said.push(`actors: ${system.actorCount}`)
console.log(said.join('\n'))
