import { markAsUntransferable, threadId } from 'node:worker_threads'
import test from 'ava'
import {
  behavior,
  type Lane,
  lend,
  type Message,
  type Ref,
  type ReplyTo,
  System,
  type Terminated,
} from 'spimpl-runtime'
import type { Echo, Relay, Sink } from './lane-actors.ts'

const module = new URL('./lane-actors.js', import.meta.url)
const soon = { timeoutMs: 30_000 }
const quiet = () => {}

const echoOn = (system: System, lane: Lane, name = 'echo', input = 0) =>
  system.spawn(lane.behavior<Echo>({ module, name: 'echo', input }), { name })

function sink(system: System): { readonly ref: Ref<Sink>; next(): Promise<Sink>; readonly came: Sink[] } {
  const came: Sink[] = []
  const waiting: ((message: Sink) => void)[] = []
  const take = (message: Sink) => {
    const waiter = waiting.shift()
    if (waiter === undefined) came.push(message)
    else waiter(message)
  }
  const ref = system.spawn(behavior<Sink>(() => ({ bytes: take, met: take, number: take })))
  return {
    ref,
    came,
    next: () => {
      const message = came.shift()
      return message === undefined ? new Promise(resolve => waiting.push(resolve)) : Promise.resolve(message)
    },
  }
}

const read = (ref: Ref<Echo>) => ref.ask(replyTo => ({ type: 'read', replyTo }), soon)

test.serial('an actor on a lane runs on its thread, and is told and asked like any other', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane(), 'e', 40)
  t.is(ref.path, '/e')
  ref.tell({ type: 'add', by: 2 })
  t.is(await read(ref), 42)
  t.not(await ref.ask(replyTo => ({ type: 'thread', replyTo }), soon), threadId)
})

test.serial('the order of one sender holds, over ring and port', async t => {
  await using system = new System()
  const lane = system.lane({ ringBytes: 4096 })
  const ref = system.spawn(lane.behavior<Relay>({ module, name: 'relay' }), { mailbox: { capacity: 1e6 } })
  const { ref: to, next } = sink(system)
  const echo = echoOn(system, lane)
  for (let n = 0; n < 5_000; n++) {
    ref.tell({ type: 'relay', n, to })
    // Larger than the ring: goes through the port, between messages that do not.
    if (n % 1_000 === 500) echo.tell({ type: 'back', bytes: new Uint8Array(8_000), to })
  }
  let expected = 0
  while (expected < 5_000) {
    const message = await next()
    if (message.type === 'number') t.is(message.n, expected++)
    else t.is(message.type, 'bytes')
  }
})

test.serial('large buffers change owner, small ones are copied', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane())
  const large = new Uint8Array(1 << 20)
  const small = new Uint8Array(100)
  t.is(await ref.ask(replyTo => ({ type: 'length', bytes: large, replyTo }), soon), 1 << 20)
  t.is(await ref.ask(replyTo => ({ type: 'length', bytes: small, replyTo }), soon), 100)
  t.is(large.byteLength, 0)
  t.is(small.byteLength, 100)
})

test.serial(
  'a buffer that was given away before is refused at once, one that cannot change owner is copied',
  async t => {
    await using system = new System({ log: () => {} })
    const ref = echoOn(system, system.lane())
    const length = (bytes: Uint8Array) => ref.ask(replyTo => ({ type: 'length', bytes, replyTo }), soon)
    const large = new Uint8Array(1 << 20)
    t.is(await length(large), 1 << 20)
    await t.throwsAsync(length(large), { code: 'MESSAGE_NOT_CLONEABLE', message: /message\.bytes .* another owner/ })
    const kept = new Uint8Array(1 << 20)
    markAsUntransferable(kept.buffer)
    t.is(await length(kept), 1 << 20)
    t.is(kept.byteLength, 1 << 20)
    t.is(await length(kept), 1 << 20)
  },
)

test.serial('a lent buffer is copied, and stays its sender’s', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane())
  const length = (bytes: Uint8Array) => ref.ask(replyTo => ({ type: 'length', bytes, replyTo }), soon)
  const large = lend(new Uint8Array(1 << 20))
  t.is(await length(large), 1 << 20)
  t.is(large.byteLength, 1 << 20)
  t.is(await length(large), 1 << 20)
  t.is(await length(new Uint8Array(large.buffer)), 1 << 20, 'another view of it is not lent')
  t.is(large.byteLength, 0)
})

/** A child of an actor on a lane: it is told without a stand-in between, so what one turn tells it leaves together, at its end. */
async function childOf(ref: Ref<Echo>, { ref: to, next }: ReturnType<typeof sink>): Promise<Ref<Echo>> {
  ref.tell({ type: 'child', to })
  const met = await next()
  if (met.type !== 'met') throw new Error(`expected a child, got ${met.type}`)
  return met.who
}

test.serial('one buffer told twice before it has left arrives twice', async t => {
  await using system = new System()
  const inbox = sink(system)
  const child = await childOf(echoOn(system, system.lane()), inbox)
  const bytes = new Uint8Array(100_000).fill(7)
  for (let at = 0; at < 2; at++) child.tell({ type: 'back', bytes, to: inbox.ref })
  const came = [await inbox.next(), await inbox.next()].map(message =>
    message.type === 'bytes' ? message.bytes : bytes,
  )
  for (const one of came) t.deepEqual(one, new Uint8Array(100_000).fill(7))
  t.not(came[0]!.buffer, came[1]!.buffer)
})

test.serial('a message whose buffer is given away before it has left is lost alone, and says so', async t => {
  await using system = new System()
  const child = await childOf(echoOn(system, system.lane()), sink(system))
  const bytes = new Uint8Array(8)
  const before = read(child)
  const lost = child.ask(replyTo => ({ type: 'length', bytes, replyTo }), soon)
  const behind = read(child)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  await t.throwsAsync(lost, { code: 'MESSAGE_NOT_CLONEABLE' })
  t.deepEqual([await before, await behind], [1, 1])
  t.is(system.deadLetters.counts.get('not-cloneable'), 1)
})

test.serial('the bytes of a buffer arrive as they were', async t => {
  await using system = new System()
  const { ref: to, next } = sink(system)
  const bytes = Uint8Array.from({ length: 3_001 }, (_, at) => at * 7)
  echoOn(system, system.lane()).tell({ type: 'back', bytes, to })
  const message = await next()
  t.deepEqual(message.type === 'bytes' ? Buffer.from(message.bytes) : undefined, Buffer.from(bytes))
})

test.serial('a reference that comes back from a lane is the one that is known here', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane())
  const { ref: to, next } = sink(system)
  ref.tell({ type: 'introduce', to })
  const message = await next()
  t.is(message.type === 'met' ? message.who : undefined, ref)
})

test.serial('an actor of one lane reaches one of another', async t => {
  await using system = new System()
  const relay = system.spawn(system.lane().behavior<Relay>({ module, name: 'relay' }))
  type Numbers = { readonly type: 'number'; readonly n: number }
  const counter = system.spawn(
    system
      .lane()
      .behavior<Numbers & Message>({ module: new URL('./lane-counter.js', import.meta.url), name: 'counter' }),
  )
  for (let n = 1; n <= 10; n++) relay.tell({ type: 'relay', n, to: counter as unknown as Ref<Sink> })
  const total = () => (counter as unknown as Ref<Echo>).ask(replyTo => ({ type: 'read', replyTo }), soon)
  let sum = 0
  while (sum < 55) sum = await total()
  t.is(sum, 55)
})

test.serial('a question to an actor of a lane that is gone, or whose lane is, fails at once and says why', async t => {
  await using system = new System({ log: quiet })
  const lane = system.lane()
  const child = await childOf(echoOn(system, lane, 'parent'), sink(system))
  t.is(await read(child), 1)
  // From one lane to a child of another the main lane passes on.
  const asker = echoOn(system, system.lane(), 'asker')
  const other = () => asker.ask(replyTo => ({ type: 'outcome', of: child, replyTo }), { timeoutMs: 60_000 })
  t.is(await other(), '1')
  child.tell({ type: 'leave' })
  const never = { timeoutMs: 60_000 }
  const question = (replyTo: ReplyTo<number>) => ({ type: 'read', replyTo }) as const
  await t.throwsAsync(child.ask(question, never), { code: 'ACTOR_STOPPED' })
  t.is(await other(), 'ACTOR_STOPPED')
  await lane.close()
  await t.throwsAsync(child.ask(question, never), { code: 'LANE_DIED' })
  t.is(await other(), 'LANE_DIED')
  t.is(system.deadLetters.counts.get('lane-died'), 2)
})

test.serial('a message keeps its id on its way', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane())
  const before = system.main.lastMessageId
  const cause = await ref.ask(replyTo => ({ type: 'cause', replyTo }), soon)
  t.is(cause, before + 1)
})

test.serial('a failure on a lane is supervised here: restart, with its error', async t => {
  const errors: unknown[] = []
  await using system = new System({ log: record => errors.push(record.fields.error) })
  const ref = echoOn(system, system.lane(), 'e', 5)
  ref.tell({ type: 'add', by: 1 })
  ref.tell({ type: 'crash' })
  while (system.inspect().children[0]?.restarts !== 1) await new Promise(resolve => setTimeout(resolve, 1))
  t.is(await read(ref), 5)
  t.is((errors[0] as Error).message, 'crashed on its lane')
  t.is((errors[0] as Error).name, 'RangeError')
})

test.serial('an actor that stops itself on a lane is gone, and its watcher is told once', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane())
  const notice = new Promise<Terminated>(resolve => {
    system.spawn(
      behavior<{ readonly type: 'gone'; readonly notice: Terminated }>(context => {
        context.watch(ref, notice => ({ type: 'gone', notice }))
        return { gone: ({ notice }) => resolve(notice) }
      }),
    )
  })
  ref.tell({ type: 'leave' })
  t.deepEqual((await notice).reason, { type: 'stopped' })
  t.false(ref.tell({ type: 'leave' }))
})

test.serial('a lane that dies is a failure of its actors, and a restart begins it anew', async t => {
  const errors: Error[] = []
  await using system = new System({ log: record => errors.push(record.fields.error as Error) })
  const lane = system.lane()
  const ref = echoOn(system, lane, 'e', 7)
  t.is(await read(ref), 7)
  const thread = await ref.ask(replyTo => ({ type: 'thread', replyTo }), soon)
  ref.tell({ type: 'die' })
  while (system.inspect().children[0]?.restarts !== 1) await new Promise(resolve => setTimeout(resolve, 1))
  t.is((errors[0] as Error & { code: string }).code, 'LANE_DIED')
  t.is((errors[0]!.cause as Error).message, 'the thread ended with code 3')
  t.is(await read(ref), 7)
  t.not(await ref.ask(replyTo => ({ type: 'thread', replyTo }), soon), thread)
})

test.serial(
  'a question that was on a lane when it died fails with that, and the next is answered by the next thread',
  async t => {
    await using system = new System({ log: quiet })
    const ref = echoOn(system, system.lane(), 'e', 7)
    await read(ref)
    const question = (replyTo: ReplyTo<number>) => ({ type: 'read', replyTo }) as const
    ref.tell({ type: 'die' })
    const error = await t.throwsAsync(ref.ask(question, { timeoutMs: 60_000 }), { code: 'LANE_DIED' })
    t.is((error!.cause as Error).message, 'the thread ended with code 3')
    t.is(await read(ref), 7)
    t.is(system.hub?.exported, 1)
  },
)

test.serial('closing a lane handles what waits, in order, and ends the thread', async t => {
  await using system = new System()
  const lane = system.lane()
  const { ref: to, came } = sink(system)
  const ref = system.spawn(lane.behavior<Relay>({ module, name: 'relay' }))
  for (let n = 0; n < 1_000; n++) ref.tell({ type: 'relay', n, to })
  await lane.close()
  t.is(came.length, 1_000)
  t.false(lane.alive)
  t.is(lane.size, 0)
})

test.serial(
  'what cannot cross is an error that names the place, a dead letter, and no failure of whom it was for',
  async t => {
    const errors: Error[] = []
    await using system = new System({ log: record => errors.push(record.fields.error as Error) })
    const ref = echoOn(system, system.lane()) as unknown as Ref<Message & { deep: readonly unknown[] }>
    ref.tell({ type: 'add', deep: [() => 1] })
    while (errors.length === 0) await new Promise(resolve => setTimeout(resolve, 1))
    t.like(errors[0], { code: 'MESSAGE_NOT_CLONEABLE' })
    t.regex(errors[0]!.message, /message\.deep\[0\]/)
    t.is(system.deadLetters.counts.get('not-cloneable'), 1)
    t.is(await read(ref as unknown as Ref<Echo>), 0)
    t.is(system.inspect().children[0]?.restarts, 0)
  },
)

test.serial('a module without the behaviour is a failure that says so', async t => {
  const errors: Error[] = []
  await using system = new System({ log: record => errors.push(record.fields.error as Error) })
  system.spawn(system.lane().behavior({ module, name: 'notABehavior' }), { restart: 'temporary' })
  while (errors.length === 0) await new Promise(resolve => setTimeout(resolve, 1))
  t.regex(errors[0]!.message, /expected notABehavior of .* to be a behaviour/)
})

test.serial('answers and references leave nothing behind', async t => {
  await using system = new System({ log: quiet })
  const ref = echoOn(system, system.lane())
  for (let at = 0; at < 100; at++) await read(ref)
  // Its stand-in is known there as long as it lives.
  t.is(system.hub?.exported, 1)
})

test.serial('a handler that loops on one lane does not delay a timer on another', async t => {
  await using system = new System()
  const ref = echoOn(system, system.lane())
  await read(ref)
  const order: string[] = []
  // Far longer than the timer, so that a busy machine does not change who is first.
  ref.tell({ type: 'spin', ms: 400 })
  const looped = read(ref).then(() => order.push('the loop ended'))
  await new Promise<void>(resolve => {
    system.spawn(
      behavior<{ readonly type: 'due' }>(context => {
        context.timers.set('t', 5, { type: 'due' })
        return {
          due: () => {
            order.push('the timer fired')
            resolve()
          },
        }
      }),
    )
  })
  await looped
  t.deepEqual(order, ['the timer fired', 'the loop ended'])
})
