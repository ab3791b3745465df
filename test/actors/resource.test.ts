import test from 'ava'
import { behavior, type ReplyTo } from 'spimpl-runtime'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import { type Open, onceOpen, Resource } from '../../actors/resource.ts'
import { SpimplError } from '../../src/errors.ts'

type Message =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'fail' }

function keeper(open: () => Promise<string[]>) {
  const resource = new Resource(open)
  return behavior<Message | Open>(context => {
    context.onStop(() => {
      resource.take()
    })
    return onceOpen<Message>(context, resource, {
      note: ({ text }) => {
        resource.get().push(text)
      },
      read: ({ replyTo }) => resource.answer(replyTo, notes => notes.join(' ')),
      fail: () => {
        throw new Error('on purpose')
      },
    })
  })
}

test('what is told before it is open waits, in order', async t => {
  await using system = new TestSystem()
  let opened = (_notes: string[]): void => {}
  const ref = system.spawn(
    keeper(
      () =>
        new Promise(resolve => {
          opened = resolve
        }),
    ),
  )
  ref.tell({ type: 'note', text: 'one' })
  ref.tell({ type: 'note', text: 'two' })
  const read = ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 1000 })
  await system.settle()
  ref.tell({ type: 'note', text: 'three' })
  opened(['open'])
  await system.settle()
  t.is(await read, 'open one two')
  const again = ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 1000 })
  await system.settle()
  t.is(await again, 'open one two three')
})

test('a failure at the first start is given to whoever asks', async t => {
  await using system = new TestSystem()
  const taken = new SpimplError('ADDRESS_IN_USE', 'expected port 1 to be free')
  const ref = system.spawn(keeper(() => Promise.reject(taken)))
  const read = ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 1000 })
  const failed = t.throwsAsync(read, { is: taken })
  await system.settle()
  await failed
})

test('a failure later restarts the actor until it opens again', async t => {
  await using system = new TestSystem({ supervision: { intensity: { restarts: 10, withinMs: 60_000 } } })
  let opens = 0
  const open = async (): Promise<string[]> => {
    opens += 1
    if (opens === 2 || opens === 3) throw new Error('not yet')
    return [`open ${opens}`]
  }
  const ref = system.spawn(keeper(open))
  await system.settle()
  ref.tell({ type: 'fail' })
  await system.advance(100)
  const read = ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 1000 })
  await system.settle()
  t.is(await read, 'open 4')
})
