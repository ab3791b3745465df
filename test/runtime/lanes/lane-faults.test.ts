import test from 'ava'
import { behavior, type Lane, Recorder, type Ref, type ReplyTo, System } from 'spimpl-runtime'
import { type Gate, type Leaf, leaf, type Note, type Odd, type Report, type Worker } from './fault-actors.ts'

const module = new URL('./fault-actors.js', import.meta.url)
const soon = { timeoutMs: 20_000 }
const quiet = { log: () => {} }
const turn = () => new Promise<void>(resolve => setImmediate(resolve))

const workerOn = (system: System, lane: Lane, name = 'worker'): Ref<Worker> =>
  system.spawn(lane.behavior<Worker>({ module, name: 'worker' }), { name })
const echo = (ref: Ref<Worker>, value: unknown) => ref.ask(replyTo => ({ type: 'echo', value, replyTo }), soon)
const grow = (ref: Ref<Worker>, name: string) => ref.ask(replyTo => ({ type: 'grow', name, replyTo }), soon)
const nameOf = (ref: Ref<Leaf>) => ref.ask(replyTo => ({ type: 'name', replyTo }), soon)

/** An actor of the main lane that keeps what it is told, and gives it out in order. */
function inbox<M extends { readonly type: string }>(system: System, tag: M['type']) {
  const came: M[] = []
  const waiting: ((message: M) => void)[] = []
  const take = (message: M) => {
    const next = waiting.shift()
    if (next === undefined) came.push(message)
    else next(message)
  }
  const ref = system.spawn(behavior<M>(() => ({ [tag]: take }) as never))
  const next = (): Promise<M> => {
    const message = came.shift()
    return message === undefined ? new Promise(resolve => waiting.push(resolve)) : Promise.resolve(message)
  }
  return { ref, next, came }
}

test.serial('the mailbox survives a failure on a lane, the message that failed does not', async t => {
  await using system = new System(quiet)
  const ref = workerOn(system, system.lane())
  const { ref: to, next } = inbox<Note>(system, 'noted')
  for (const n of [1, 2]) ref.tell({ type: 'note', n, to })
  ref.tell({ type: 'crash' })
  for (const n of [3, 4]) ref.tell({ type: 'note', n, to })
  const echoed = echo(ref, 5)
  for (const n of [1, 2, 3, 4]) t.is((await next()).n, n)
  t.is(await echoed, 5)
  t.is(system.inspect().children.find(({ name }) => name === 'worker')?.restarts, 1)
  t.is(system.deadLetters.counts.get('stopped'), undefined)
})

test.serial('what a failed actor left is given up when nobody takes over', async t => {
  await using system = new System(quiet)
  const lane = system.lane()
  const ref = system.spawn(lane.behavior<Worker>({ module, name: 'worker' }), { restart: 'temporary' })
  ref.tell({ type: 'crash' })
  await t.throwsAsync(echo(ref, 1), { code: 'ACTOR_STOPPED' })
})

test.serial('a reference into a lane that died reaches nobody else', async t => {
  await using system = new System(quiet)
  const ref = workerOn(system, system.lane())
  const before = await grow(ref, 'before')
  t.is(await nameOf(before), 'before')
  ref.tell({ type: 'die' })
  // Born on the next thread, as the first child, as the other was on the first.
  const after = await grow(ref, 'after').catch(() => grow(ref, 'after'))
  t.is(await nameOf(after), 'after')
  await t.throwsAsync(nameOf(before), { code: 'LANE_DIED' })
})

test.serial('whoever waits for an answer of a lane that dies learns it', async t => {
  await using system = new System(quiet)
  const first = workerOn(system, system.lane(), 'first')
  const second = workerOn(system, system.lane(), 'second')
  const child = await grow(second, 'child')
  const waits = [
    second.ask(replyTo => ({ type: 'mute', replyTo }), soon).catch(error => error.code),
    child.ask(replyTo => ({ type: 'mute', replyTo }), soon).catch(error => error.code),
    first.ask(replyTo => ({ type: 'ask', whom: second, replyTo }), soon),
    first.ask(replyTo => ({ type: 'ask', whom: child, replyTo }), soon),
  ]
  // Once each has asked what it was told to ask, and those questions have passed here.
  await echo(first, 1)
  await echo(second, 1)
  second.tell({ type: 'die' })
  t.deepEqual(await Promise.all(waits), ['LANE_DIED', 'LANE_DIED', 'LANE_DIED', 'LANE_DIED'])
})

test.serial('asking an actor of another lane that has ended rejects at once', async t => {
  await using system = new System(quiet)
  const ref = workerOn(system, system.lane())
  const child = await grow(ref, 'child')
  child.tell({ type: 'leave' })
  await t.throwsAsync(nameOf(child), { code: 'ACTOR_STOPPED' })
  const here = system.spawn(leaf)
  t.is(await echo(ref, here), here)
  system.stopActor(here)
  t.is(await ref.ask(replyTo => ({ type: 'ask', whom: here, replyTo }), soon), 'ACTOR_STOPPED')
})

test.serial('the mailbox of an actor on a lane is bounded as any other', async t => {
  await using system = new System(quiet)
  const waiting: ReplyTo<number>[] = []
  let open = false
  const gate = system.spawn(
    behavior<Gate>(() => ({
      pass: ({ replyTo }) => {
        if (open) replyTo.tell(1)
        else waiting.push(replyTo)
      },
    })),
  )
  const capacity = 100
  const lane = system.lane()
  const ref = system.spawn(lane.behavior<Note>({ module, name: 'slow', input: gate }), { mailbox: { capacity } })
  let accepted = 0
  for (let refused = 0; refused < 1_000; ) {
    if (ref.tell({ type: 'noted', n: accepted })) accepted++
    else refused++
    if ((accepted + refused) % 50 === 0) await turn()
  }
  // As many there as here, and the one that is being handled.
  t.true(accepted <= 2 * capacity + 1, `${accepted}`)
  while (waiting.length === 0) await turn()
  open = true
  waiting[0]!.tell(1)
  const handled = async () => (await lane.inspect()).children[0]?.processed ?? 0
  while ((await handled()) < accepted) await turn()
  t.is(await handled(), accepted)
  t.is(system.deadLetters.counts.get('mailbox-full'), 1_000)
})

test.serial('closing a lane stops permanent actors too', async t => {
  await using system = new System(quiet)
  const lane = system.lane()
  const ref = system.spawn(lane.behavior<Worker>({ module, name: 'worker' }), { restart: 'permanent' })
  await echo(ref, 1)
  await lane.close()
  t.is(system.actorCount, 0)
})

test.serial('a replyTo that is sent to a lane twice leaves nothing behind', async t => {
  await using system = new System(quiet)
  const ref = workerOn(system, system.lane())
  for (let at = 0; at < 10; at++) {
    await ref.ask(replyTo => {
      ref.tell({ type: 'mute', replyTo: replyTo as ReplyTo<string> })
      return { type: 'echo', value: at, replyTo }
    }, soon)
  }
  t.is(system.hub?.exported, 1)
})

test.serial('an actor of a lane watches one of another: one notice, also of one that is gone', async t => {
  await using system = new System(quiet)
  const first = workerOn(system, system.lane(), 'first')
  const second = workerOn(system, system.lane(), 'second')
  const { ref: to, next } = inbox<Report>(system, 'report')
  const here = system.spawn(leaf, { name: 'here' })
  const there = await grow(second, 'there')
  const watch = (whom: Ref<Leaf>) => first.ask(replyTo => ({ type: 'watch', whom, to, replyTo }), soon)
  for (const whom of [here, there]) {
    await watch(whom)
    whom.tell({ type: 'leave' })
    t.deepEqual((await next()).notice, { path: whom.path, reason: { type: 'stopped' } })
    await watch(whom)
    t.deepEqual((await next()).notice, { path: whom.path, reason: { type: 'stopped' } })
  }
  const doomed = await grow(second, 'doomed')
  await watch(doomed)
  second.tell({ type: 'die' })
  const { notice } = await next()
  t.is(notice.path, doomed.path)
  t.is(notice.reason.type === 'failed' ? (notice.reason.error as { code?: string }).code : '', 'LANE_DIED')
})

test.serial('watches from lane to lane leave nothing behind', async t => {
  await using system = new System(quiet)
  const ref = workerOn(system, system.lane())
  const child = await grow(ref, 'child')
  const watcher = behavior<Note>(context => {
    context.watch(child, { type: 'noted', n: 1 })
    return { noted: () => {} }
  })
  const exported = system.hub!.exported
  for (let at = 0; at < 5; at++) {
    const own = system.spawn(watcher)
    await turn()
    t.is(system.hub?.exported, exported + 1)
    system.stopActor(own)
  }
  t.is(system.hub?.exported, exported)
})

test.serial('a lane shows its actors and what its recorder keeps', async t => {
  await using system = new System({ ...quiet, measured: true, recorder: new Recorder({ capacity: 1_024 }) })
  const lane = system.lane({ name: 'shown' })
  const ref = workerOn(system, lane)
  await grow(ref, 'child')
  await echo(ref, 1)
  const [top] = (await lane.inspect()).children
  t.is(top?.processed, 2)
  t.is(top?.children[0]?.name, 'child')
  t.is(top?.inHandler?.count, 2)
  t.is(top?.inMailbox?.count, 2)
  t.is(typeof top?.description, 'string')
  const handled = (await lane.records()).filter(({ kind }) => kind === 'handled')
  t.deepEqual(
    handled.map(({ tag }) => tag),
    ['grow', 'echo'],
  )
  await lane.close()
  await t.throwsAsync(lane.inspect(), { code: 'LANE_DIED' })
})

test.serial('a lane has no lanes, and a system that has stopped starts none', async t => {
  const system = new System(quiet)
  const ref = workerOn(system, system.lane())
  const asked = ref.ask(replyTo => ({ type: 'lane', replyTo }), soon)
  const { cause } = (await t.throwsAsync(asked, { code: 'ACTOR_FAILED' }))!
  t.is((cause as { readonly code?: string }).code, 'CONFIG_INVALID')
  await system.stop()
  t.throws(() => system.lane(), { code: 'ACTOR_STOPPED' })
})

/** One of its lives is left behind on the lane, in a handler, the next is in one too. */
async function leftBehind(system: System) {
  const lane = system.lane()
  const { ref: gate, next } = inbox<Gate>(system, 'pass')
  const ref = system.spawn(lane.behavior<Note>({ module, name: 'slow', input: gate }), { stopDeadlineMs: 1 })
  const pass = async () => {
    ref.tell({ type: 'noted', n: 1 })
    return await next()
  }
  const first = await pass()
  system.failActor(ref, new Error('drill'))
  const second = await pass()
  return { lane, pass, first, second, seen: () => system.inspect().children.at(-1) }
}

test.serial('one that is late on its lane has its next life beside it, which does not end with it', async t => {
  await using system = new System(quiet)
  const { lane, pass, first, second, seen } = await leftBehind(system)
  t.is(lane.size, 2)
  first.replyTo.tell(1)
  while ((await lane.inspect()).children.length > 1) await turn()
  t.is(seen()?.state, 'running')
  second.replyTo.tell(2)
  const third = await pass()
  third.replyTo.tell(3)
  t.is(seen()?.restarts, 1)
  t.is(lane.size, 1)
})

test.serial('a lane that dies with two lives of an actor is one failure of it', async t => {
  await using system = new System(quiet)
  const { lane, pass, seen } = await leftBehind(system)
  await lane.terminate()
  while (seen()?.restarts === 1) await turn()
  const third = await pass()
  third.replyTo.tell(3)
  t.is(seen()?.restarts, 2)
})

const oddities: readonly Odd[] = [
  'function',
  'object with one',
  'object without prototype',
  'symbol',
  'circle',
  'error of another kind',
]

test.serial('whatever an actor of a lane throws is a failure of it alone', async t => {
  await using system = new System({ ...quiet, supervision: { intensity: { restarts: 20, withinMs: 60_000 } } })
  const lane = system.lane()
  const ref = workerOn(system, lane)
  const other = workerOn(system, lane, 'other')
  for (const what of oddities) {
    const asked = ref.ask(replyTo => ({ type: 'odd', what, how: 'throw', replyTo }), soon)
    await t.throwsAsync(asked, { code: 'ACTOR_FAILED' }, what)
    t.is(await echo(ref, what), what)
  }
  const restarts = () => system.inspect().children.map(child => child.restarts)
  t.deepEqual(restarts(), [oddities.length, 0])
  t.is(await echo(other, 1), 1)
})

test.serial('an answer that cannot cross is a failure of who gives it, and an error is told as text', async t => {
  await using system = new System({ ...quiet, supervision: { intensity: { restarts: 20, withinMs: 60_000 } } })
  const ref = workerOn(system, system.lane())
  const answer = (what: Odd, how: 'fail' | 'tell') => ref.ask(replyTo => ({ type: 'odd', what, how, replyTo }), soon)
  const failure = (await t.throwsAsync(answer('object with one', 'tell'), { code: 'ACTOR_FAILED' }))!
  t.like(failure.cause, { code: 'MESSAGE_NOT_CLONEABLE' })
  t.is(await answer('object with one', 'fail').catch(String), '{ on: [Function: on] }')
  await t.throwsAsync(answer('circle', 'fail'), { message: 'circle' })
  t.is(system.inspect().children[0]?.restarts, 1)
})

test.serial('who watches from another lane is told of whatever ended an actor', async t => {
  await using system = new System(quiet)
  const worker = workerOn(system, system.lane())
  const { ref: to, next } = inbox<Report>(system, 'report')
  const whom = system.spawn(leaf, { restart: 'temporary' })
  await worker.ask(replyTo => ({ type: 'watch', whom, to, replyTo }), soon)
  system.failActor(whom, { on: () => {} } as unknown as Error)
  t.deepEqual((await next()).notice.reason, { type: 'failed', error: '{ on: [Function: on] }' })
})
