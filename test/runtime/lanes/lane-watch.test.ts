import test from 'ava'
import { DispatchQueue, System } from 'spimpl-runtime'
import { Doorbell } from 'spimpl-runtime/internal/lanes/doorbell.js'
import { LaneWatch } from 'spimpl-runtime/internal/lanes/lane-watch.js'
import { TestSystem } from 'spimpl-runtime/testing'
import type { Echo } from './lane-actors.ts'
import { NeverSpin } from './lane-ends.ts'

/** A link to which `messages` come, as many as are set, one turn of the event loop after the other. */
class Fake {
  leisureMs = Number.POSITIVE_INFINITY
  looks = 0
  asked = 0
  messages: number[] = []

  get arrived(): boolean {
    this.asked++
    return this.messages.length > 0
  }

  look(): number {
    this.looks++
    return this.messages.shift() ?? 0
  }
}

async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise(resolve => setImmediate(resolve))
}

function watching() {
  const fake = new Fake()
  const watch = new LaneWatch(new Doorbell(), new NeverSpin())
  watch.add(fake)
  return { fake, watch, others: new Doorbell(watch.bell.buffer) }
}

test('it sleeps when nothing comes, and then looks no more until the message that wakes', async t => {
  const { fake, watch, others } = watching()
  await turns(3)
  const { looks } = fake
  await turns(20)
  t.is(fake.looks, looks)
  t.true(others.ring())
  fake.messages = [1]
  watch.woken()
  t.is(fake.looks, looks + 1)
  await turns(20)
  t.is(fake.looks, looks + 1)
  t.true(others.ring(), 'it sleeps again')
})

test('while many messages come it needs no waking, and the event loop turns between two looks', async t => {
  const { fake, watch, others } = watching()
  await turns(3)
  others.ring()
  fake.messages = [256, 256, 256, 256]
  const { looks } = fake
  watch.woken()
  for (let turn = 2; turn <= 4; turn++) {
    t.false(others.ring(), 'it is awake')
    await turns(1)
    t.is(fake.looks, looks + turn)
  }
  await turns(3)
  t.true(others.ring(), 'it sleeps')
})

test('a thread with work of its own does not look longer', async t => {
  const fake = new Fake()
  fake.leisureMs = 0
  const watch = new LaneWatch()
  watch.add(fake)
  watch.sent()
  await turns(3)
  // Once, before it sleeps.
  t.is(fake.asked, 1)
  fake.leisureMs = Number.POSITIVE_INFINITY
  watch.sent()
  await turns(3)
  // While it looked longer, and before it sleeps.
  t.true(fake.asked >= 3)
})

test('the end of one link looks at the others, whose wake-up it may have taken', async t => {
  const { fake, watch, others } = watching()
  const ending = new Fake()
  watch.add(ending)
  await turns(3)
  t.true(others.ring(), 'the thread that ends took it, and sends no message')
  fake.messages = [1]
  const { looks } = fake
  watch.remove(ending)
  await turns(3)
  t.true(fake.looks > looks)
  t.is(fake.messages.length, 0)
  t.true(others.ring(), 'it sleeps')
})

test('a root has leisure until its next timer, and none while something is ready', async t => {
  await using system = new TestSystem({ seed: 1 })
  const root = system.main
  await system.settle()
  t.is(root.leisureMs, Number.POSITIVE_INFINITY)
  const queue = new DispatchQueue('q', { target: root })
  queue.after(5, () => {})
  t.true(root.leisureMs > 0 && root.leisureMs <= 5)
  queue.async(() => {})
  t.is(root.leisureMs, 0)
  await system.settle()
  t.true(root.leisureMs > 0)
})

test('many lanes are asked at once, and none is deaf', async t => {
  await using system = new System()
  const module = new URL('./lane-actors.js', import.meta.url)
  await Promise.all(
    [0, 1, 2].map(async at => {
      const ref = system.spawn(system.lane().behavior<Echo>({ module, name: 'echo', input: at }), { name: `e${at}` })
      for (let n = 1; n <= 300; n++) {
        ref.tell({ type: 'add', by: 1 })
        t.is(await ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 60_000 }), at + n)
      }
    }),
  )
})
