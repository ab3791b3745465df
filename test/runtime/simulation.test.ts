import test from 'ava'
import { type Behavior, behavior, DispatchQueue, type Message, type Ref, type ReplyTo } from 'spimpl-runtime'
import { TestSystem } from 'spimpl-runtime/testing'

type Pass = { readonly type: 'pass'; readonly left: number; readonly replyTo?: ReplyTo<void> }

/** The address of an answer that reaches nobody. */
const lost: ReplyTo<void> = { tell: () => false, fail: () => false }

/** Passes messages on to whom chance chooses, sets timers, crashes now and then, comes and goes. */
function wanderer(others: Ref<Pass>[]): Behavior<Pass> {
  return behavior<Pass>(context => ({
    pass: async ({ left }) => {
      const { randomness } = context
      if (randomness.below(50) === 0) throw new Error('by chance')
      if (randomness.below(5) === 0) await undefined
      if (left === 0) return
      const message: Pass = { type: 'pass', left: left - 1 }
      if (randomness.below(3) === 0) context.timers.set(randomness.below(4), randomness.below(60_000), message)
      else context.tell(others[randomness.below(others.length)]!, message)
    },
  }))
}

async function run(seed: number): Promise<Uint8Array> {
  await using system = new TestSystem({
    seed,
    records: 4096,
    supervision: { intensity: { restarts: 1e6, withinMs: 1 } },
  })
  const others: Ref<Pass>[] = []
  for (let at = 0; at < 10; at++) others.push(system.spawn(wanderer(others), { name: `w${at}` }))
  for (const ref of others) ref.tell({ type: 'pass', left: 100 })
  await system.advance(600_000)
  return system.interleaving()
}

test('one seed replays one interleaving, byte for byte', async t => {
  const first = await run(7)
  t.deepEqual(await run(7), first)
  t.true(first.byteLength > 5_000, `${first.byteLength}`)
})

test('another seed gives another interleaving', async t => {
  t.notDeepEqual(await run(8), await run(9))
})

test.serial('a failing seed is printed as one line that replays it', async t => {
  const ran: number[] = []
  const scenario = async ({ seed }: TestSystem) => {
    ran.push(seed)
    if (seed === 2) throw new Error('broken')
  }
  const outer = process.env.SPIMPL_SEED
  try {
    for (const only of [undefined, '2', '3']) {
      if (only === undefined) delete process.env.SPIMPL_SEED
      else process.env.SPIMPL_SEED = only
      const result = TestSystem.forSeeds([1, 2, 3], scenario)
      if (only === '3') await t.notThrowsAsync(result)
      else await t.throwsAsync(result, { message: 'broken\nreplay: SPIMPL_SEED=2' })
    }
  } finally {
    if (outer === undefined) delete process.env.SPIMPL_SEED
    else process.env.SPIMPL_SEED = outer
  }
  t.deepEqual(ran, [1, 2, 2, 3])
})

test('a probe takes messages in order and says what came instead', async t => {
  type Answer = { readonly type: 'one' } | { readonly type: 'two' }
  await using system = new TestSystem({ seed: 1 })
  const probe = system.probe<Answer>('probe')
  probe.ref.tell({ type: 'one' })
  probe.ref.tell({ type: 'two' })
  t.deepEqual(await probe.expectMessage('one'), { type: 'one' })
  await t.throwsAsync(probe.expectMessage('one'), { message: /expected "one" at \/probe .* got "two".*SPIMPL_SEED=1/ })
  await t.throwsAsync(probe.expectMessage('one', 50), { message: /got nothing/ })
  await probe.expectNoMessage(100)
  t.is(system.now(), 150)
})

test('a probe waits in virtual time', async t => {
  type Tick = { readonly type: 'tick' }
  await using system = new TestSystem()
  const probe = system.probe<Tick>()
  system.spawn(
    behavior<Message>(context => {
      context.timers.set('t', 3_600_000, { type: 'tick' })
      return { tick: () => void probe.ref.tell({ type: 'tick' }) }
    }),
  )
  await probe.expectNoMessage(3_599_999)
  await probe.expectMessage('tick', 10)
  t.is(system.now(), 3_600_000)
})

test('a day of random work leaves nothing behind', async t => {
  await using system = new TestSystem({
    seed: 24,
    records: 1024,
    measured: true,
    supervision: { intensity: { restarts: 1e6, withinMs: 1 } },
  })
  const others: Ref<Pass>[] = []
  for (let at = 0; at < 8; at++) others.push(system.spawn(wanderer(others), { name: `w${at}` }))
  await system.settle()
  const children = () =>
    JSON.stringify(
      system.inspect().children.map(({ name, timers, stashed, inFlight, mailbox }) => ({
        name,
        timers,
        stashed,
        inFlight,
        depth: mailbox.depth,
      })),
    )
  const before = children()
  let guests = 0
  for (let hour = 0; hour < 24; hour++) {
    for (const ref of others) ref.tell({ type: 'pass', left: 60 })
    for (let at = 0; at < 20; at++) {
      const guest = system.spawn(wanderer(others))
      guest.tell({ type: 'pass', left: 5 })
      system.stopActor(guest, { drain: true })
      guests++
      const asked = others[at % 8]!.ask(() => ({ type: 'pass', left: 0, replyTo: lost }), { timeoutMs: 1_000 }).catch(
        error => error.code,
      )
      await system.advance(180_000)
      t.is(await asked, 'ASK_TIMEOUT')
    }
  }
  await system.advance(7_200_000)
  t.is(guests, 480)
  t.true(system.now() >= 86_400_000)
  t.is(children(), before)
  t.is(system.main.timers.size, 0)
  t.is(system.inspect().children.length, 8)
})

test('until moves the clock to a promise that timers settle, and no further than it is told', async t => {
  await using system = new TestSystem()
  const queue = new DispatchQueue('alarm', { target: system.main })
  const rings = new Promise<number>(resolve => void queue.after(250, () => resolve(system.now())))
  t.is(await system.until(rings), 250)
  t.is(system.now(), 250)
  const late = new Promise<void>(resolve => void queue.after(5_000, () => resolve()))
  await t.throwsAsync(system.until(late, 1_000), { code: 'EXPECTATION_FAILED' } as never)
  t.true(system.now() <= 1_250)
  await t.throwsAsync(system.until(Promise.reject(new RangeError('no'))), { instanceOf: RangeError })
})
