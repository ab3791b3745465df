import { MessageChannel, Worker } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import type { LaneLink } from 'spimpl-runtime/internal/lanes/lane-link.js'
import { linkOf, twoEnds } from './lane-ends.ts'

const module = new URL('./lane-ends.js', import.meta.url)

/** What one side sends in one step: JSON, a clone, a buffer that changes owner, or nothing until the event loop has turned. */
const step = fc.oneof(
  fc.record({ how: fc.constant('text' as const), text: fc.string({ unit: 'binary', maxLength: 60 }) }),
  fc.record({ how: fc.constant('clone' as const), text: fc.string({ maxLength: 60 }) }),
  fc.record({ how: fc.constant('transfer' as const), text: fc.string({ maxLength: 200 }) }),
  fc.record({ how: fc.constant('turn' as const), text: fc.constant('') }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** @returns what is to arrive, in order */
async function play(link: LaneLink, steps: readonly Step[]): Promise<string[]> {
  const sent: string[] = []
  for (const { how, text } of steps) {
    if (how === 'turn') {
      await new Promise(resolve => setImmediate(resolve))
      continue
    }
    const id = 2 ** 52 + sent.length
    if (how === 'text') link.send(1, 0, id, 0, 0, { text }, true)
    else if (how === 'clone') link.send(1, 0, id, 0, 0, new Map([['text', text]]))
    else {
      const bytes = new TextEncoder().encode(text)
      link.transferNext([bytes.buffer])
      link.send(1, 0, id, 0, 0, bytes)
    }
    sent.push(`${id} ${text}`)
  }
  return sent
}

function collector() {
  const came: string[] = []
  let wanted = Number.POSITIVE_INFINITY
  let arrived: () => void = () => {}
  return {
    came,
    take: (payload: unknown, id: number) => {
      const text =
        payload instanceof Map
          ? payload.get('text')
          : payload instanceof Uint8Array
            ? new TextDecoder().decode(payload)
            : (payload as { text: string }).text
      came.push(`${id} ${text}`)
      if (came.length === wanted) arrived()
    },
    all: (count: number) =>
      new Promise<void>(resolve => {
        wanted = count
        arrived = resolve
        if (came.length === count) resolve()
      }),
  }
}

test('in both directions all comes once and in order, through ring and port, however small the ring', async t => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(64, 256, 1024), fc.array(step), fc.array(step), async (ringBytes, there, back) => {
      const { port1, port2 } = new MessageChannel()
      const [near, far] = twoEnds(ringBytes)
      const [atNear, atFar] = [collector(), collector()]
      const links = [linkOf(near, port1, atNear.take), linkOf(far, port2, atFar.take)] as const
      const [sentThere, sentBack] = await Promise.all([play(links[0], there), play(links[1], back)])
      await Promise.all([atFar.all(sentThere.length), atNear.all(sentBack.length)])
      t.deepEqual([atFar.came, atNear.came], [sentThere, sentBack])
      for (const link of links) link.close()
      port1.close()
    }),
    { numRuns: 60 },
  )
})

/** Each burst begins when the last has come back, so nothing else would wake whom a wake-up was lost for: it would hang. */
async function bursts(ringBytes: number, sizes: readonly number[]): Promise<void> {
  const [here, there] = twoEnds(ringBytes)
  const worker = new Worker(module, { workerData: there })
  let missing = 0
  let back: () => void = () => {}
  const link = linkOf(here, worker, () => {
    if (--missing === 0) back()
  })
  for (const size of sizes) {
    missing = size
    const all = new Promise<void>(resolve => {
      back = resolve
    })
    for (let n = 0; n < size; n++) link.send(0, 0, n, 0, 0, { text: 'a message of some length' }, true)
    await all
  }
  link.close()
  await worker.terminate()
}

test('two threads that sleep between all messages lose no wake-up', async t => {
  await bursts(4_096, Array(5_000).fill(1))
  t.pass()
})

test('two threads whose rings are full most of the time lose no wake-up', async t => {
  await bursts(
    256,
    Array.from({ length: 300 }, (_, at) => ((at * 37) % 100) + 1),
  )
  t.pass()
})

test('who sends more than the other side reads is held until it has read, or until the link is closed', async t => {
  const { port1, port2 } = new MessageChannel()
  const [near, far] = twoEnds(1 << 16)
  const link = linkOf(near, port1, () => {})
  const overfill = () => {
    for (let n = 0; !link.congested && n < 1e6; n++) link.send(0, 0, n, 0, 0, { n }, true)
  }
  overfill()
  t.true(link.congested)
  const other = linkOf(far, port2, () => {})
  await link.drained()
  t.false(link.congested)
  other.close()
  overfill()
  const drained = link.drained()
  link.close()
  await drained
  port1.close()
  t.pass()
})
