import test from 'ava'
import { behavior, type LogRecord, type Ref, System, type Terminated } from 'spimpl-runtime'
import type { Note, Worker } from './fault-actors.ts'

const module = new URL('./fault-actors.js', import.meta.url)
const soon = { timeoutMs: 20_000 }
const turn = () => new Promise<void>(resolve => setImmediate(resolve))
const echo = (ref: Ref<Worker>, value: unknown) => ref.ask(replyTo => ({ type: 'echo', value, replyTo }), soon)

type Boss =
  | { readonly type: 'pass-on'; readonly message: Worker }
  | { readonly type: 'ended'; readonly notice: Terminated }

test.serial('a lane that dies while it closes takes nobody with it', async t => {
  await using system = new System({ log: () => {} })
  const lane = system.lane()
  const [older, younger] = ['older', 'younger'].map(name =>
    system.spawn(lane.behavior<Worker>({ module, name: 'worker' }), { name, restart: 'permanent' }),
  )
  await echo(older!, 1)
  younger!.tell({ type: 'die' })
  await lane.close()
  t.deepEqual(system.inspect().children, [])
  t.is(system.inspect().state, 'running')
})

test.serial('what is spawned on a closed lane comes to its end at once, and fails nobody', async t => {
  await using system = new System({ log: () => {} })
  const lane = system.lane()
  await lane.close()
  const notices: Terminated[] = []
  const boss = behavior<Boss>(context => {
    const child = context.spawn(lane.behavior<Worker>({ module, name: 'worker' }), {
      name: 'child',
      restart: 'permanent',
    })
    context.watch(child, notice => ({ type: 'ended', notice }))
    return { 'pass-on': () => {}, ended: ({ notice }) => void notices.push(notice) }
  })
  system.spawn(boss, { name: 'boss' })
  while (notices.length === 0) await turn()
  t.is(notices[0]?.path, '/boss/child')
  t.like(notices[0]?.reason, { type: 'failed', error: { code: 'LANE_DIED' } })
  t.deepEqual(
    system.inspect().children.map(({ state, restarts, children }) => [state, restarts, children]),
    [['running', 0, []]],
  )
})

test.serial('one that waits to restart while its lane closes restarts, handles what waits, and stops', async t => {
  let failures = 0
  await using system = new System({ log: () => void failures++ })
  const lane = system.lane()
  const noted: number[] = []
  const to = system.spawn(behavior<Note>(() => ({ noted: ({ n }) => void noted.push(n) })))
  const boss = behavior<Boss>(
    context => {
      const child = context.spawn(lane.behavior<Worker>({ module, name: 'worker' }), { name: 'child' })
      return { 'pass-on': ({ message }) => void child.tell(message), ended: () => {} }
    },
    { supervision: { backoff: { minMs: 20, maxMs: 20 } } },
  )
  const ref = system.spawn(boss, { name: 'boss' })
  const child = () => system.inspect().children[1]?.children[0]
  ref.tell({ type: 'pass-on', message: { type: 'crash' } })
  while (failures === 0) await turn()
  ref.tell({ type: 'pass-on', message: { type: 'note', n: 1, to } })
  await lane.close()
  t.deepEqual(noted, [1])
  t.is(child(), undefined)
  t.is(failures, 1)
  t.is(system.inspect().children[1]?.restarts, 0)
})

test.serial('a failure of an actor of a lane that stops already is told', async t => {
  const records: LogRecord[] = []
  await using system = new System({ log: record => records.push(record) })
  const lane = system.lane()
  system.spawn(lane.behavior<Worker>({ module, name: 'worker' }), { name: 'worker' }).tell({ type: 'crash' })
  await lane.close()
  t.deepEqual(
    records.map(({ path, message }) => [path, message]),
    [['/worker', 'failed while it stopped']],
  )
})
