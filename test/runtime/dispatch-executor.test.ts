import test from 'ava'
import { behavior, type ReplyTo, System } from 'spimpl-runtime'
import { DispatchExecutor, notFound } from 'spimpl-runtime/internal/executors/dispatch.js'
import { RootQueue } from 'spimpl-runtime/internal/queues/root-queue.js'

const obstacle = DispatchExecutor.obstacle()
const dispatchTest = obstacle === undefined || process.env.CI === 'true' ? test : test.skip
if (obstacle !== undefined) console.error(`skipped: the executor "dispatch": ${obstacle}`)

type Counter = { type: 'add'; by: number } | { type: 'read'; replyTo: ReplyTo<number> }

const counter = (executor: DispatchExecutor) =>
  behavior<Counter>(() => {
    let n = 0
    return {
      add({ by }) {
        executor.queue.assertCurrent()
        n += by
      },
      read: ({ replyTo }) => {
        replyTo.tell(n)
      },
    }
  })

dispatchTest('actors run inside of a real dispatch queue', async t => {
  const executor = new DispatchExecutor({ label: 'test.system' })
  await using system = new System({ executor })
  const ref = system.spawn(counter(executor), { name: 'counter' })
  for (let by = 1; by <= 100; by++) ref.tell({ type: 'add', by })
  t.is(await ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 10_000 }), 5050)
})

dispatchTest('an alarm comes, and not before its moment', async t => {
  const executor = new DispatchExecutor()
  for (const delayMs of [0, 3, 12]) {
    const atMs = executor.clock.now() + delayMs
    await new Promise<void>(resolve => {
      executor.attach({
        startedMs: 0,
        drain() {
          t.true(executor.clock.now() >= atMs)
          resolve()
          return false
        },
      })
      executor.wakeAt(atMs)
    })
  }
  executor.stop()
})

dispatchTest('a drain that always has work lets the event loop turn', async t => {
  const executor = new DispatchExecutor()
  let drains = 0
  let turned = false
  await new Promise<void>(resolve => {
    setImmediate(() => {
      turned = true
    })
    executor.attach({
      startedMs: 0,
      drain() {
        drains++
        if (turned || drains > 100_000) {
          executor.stop()
          resolve()
          return false
        }
        return true
      },
    })
    executor.wake()
  })
  t.true(drains < 1000)
})

dispatchTest('no drain begins after stop', async t => {
  const executor = new DispatchExecutor()
  new RootQueue(executor)
  executor.attach({
    startedMs: 0,
    drain() {
      t.fail()
      return false
    },
  })
  executor.wake()
  executor.wakeAt(executor.clock.now())
  executor.stop()
  // What was asked of another one later, and has come, is behind what the stopped one could still do.
  const later = new DispatchExecutor()
  await new Promise<void>(resolve => {
    later.attach({
      startedMs: 0,
      drain() {
        resolve()
        return false
      },
    })
    later.wakeAt(later.clock.now() + 1)
  })
  later.stop()
  t.pass()
})

test('where no libdispatch is installed one short line says so; one that would not load says why', t => {
  const absent = (place: string) => `${place}: ${place}: cannot open shared object file: No such file or directory`
  const nothing = notFound(Array.from({ length: 6 }, (_, index) => absent(`/usr/lib/${index}/libdispatch.so`)))
  t.true(nothing.length < 120, nothing)
  const old = notFound([absent('libdispatch.so'), '/opt/libdispatch.so: undefined symbol: dispatch_async'])
  t.true(old.includes('undefined symbol: dispatch_async'))
  t.false(old.includes('No such file'))
  const hidden = notFound(['SPIMPL_LIBDISPATCH=none hides every libdispatch'])
  t.is(hidden, 'no libdispatch was found (SPIMPL_LIBDISPATCH=none hides every libdispatch)')
})
