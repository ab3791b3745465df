import test from 'ava'
import { System } from 'spimpl-runtime'
import { DispatchExecutor } from 'spimpl-runtime/dispatch'
import type { Placed } from './dispatch-actors.ts'

const module = new URL('./dispatch-actors.js', import.meta.url)
const soon = { timeoutMs: 10_000 }
const obstacle = DispatchExecutor.obstacle()
const dispatchTest = obstacle === undefined || process.env.CI === 'true' ? test : test.skip

dispatchTest('a lane of a system on libdispatch is a root of its own, and keeps the order', async t => {
  await using system = new System({ executor: new DispatchExecutor({ label: 'test.lanes' }), log: () => {} })
  const lane = system.lane({ name: 'second-root' })
  const ref = system.spawn(lane.behavior<Placed>({ module, name: 'placed' }), { mailbox: { capacity: 10_000 } })
  const where = () => ref.ask(replyTo => ({ type: 'where', replyTo }), soon)
  for (let n = 0; n < 2_000; n++) ref.tell({ type: 'count', n })
  const answer = await where()
  t.deepEqual({ root: answer.root, insideOfIt: answer.insideOfIt }, { root: 'lane', insideOfIt: true })
  t.deepEqual(answer.order, [...Array(2_000).keys()])
  // A lane that dies is a restart, and the next thread is a root again.
  ref.tell({ type: 'crash' })
  while (system.inspect().children[0]?.restarts !== 1) await new Promise(resolve => setTimeout(resolve, 1))
  t.true((await where()).insideOfIt)
})
