import { behavior, System } from 'spimpl/runtime'

type Poller = { readonly type: 'poll' } | { readonly type: 'late' }

const poller = behavior<Poller>(context => {
  context.timers.set('next', 10, { type: 'poll' })
  return {
    poll: async () => {
      context.timers.set('deadline', 5, { type: 'late' })
      await new Promise(resolve => setTimeout(resolve, 1))
      context.timers.cancel('deadline')
      console.log('polled')
    },
    late: () => console.log('late'),
  }
})

await using system = new System()
system.spawn(poller)
await new Promise(resolve => setTimeout(resolve, 200))
