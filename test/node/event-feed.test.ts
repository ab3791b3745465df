import test from 'ava'
import fc from 'fast-check'
import { EventFeed } from '../../node/event-feed.ts'

interface Numbered {
  readonly type: 'numbered'
  readonly n: number
}
const numbered = (n: number): Numbered => ({ type: 'numbered', n })

test('a subscriber sees what is published after it began, in order, and its loop ends with the feed', async t => {
  const feed = new EventFeed<Numbered>()
  feed.publish(numbered(0))
  const early = feed[Symbol.asyncIterator]()
  feed.publish(numbered(1))
  const late = feed[Symbol.asyncIterator]()
  feed.publish(numbered(2))
  feed.end()
  t.deepEqual(await rest(early), [numbered(1), numbered(2)])
  t.deepEqual(await rest(late), [numbered(2)])
  t.deepEqual(await rest(feed[Symbol.asyncIterator]()), [])
})

test('a reader that waits gets the next event, and the end', async t => {
  const feed = new EventFeed<Numbered>()
  const reader = feed[Symbol.asyncIterator]()
  const waiting = [reader.next(), reader.next(), reader.next()]
  feed.publish(numbered(1))
  feed.publish(numbered(2))
  feed.end()
  t.deepEqual(await Promise.all(waiting), [
    { done: false, value: numbered(1) },
    { done: false, value: numbered(2) },
    { done: true, value: undefined },
  ])
})

test('a loop that breaks off holds nothing and misses nothing it wants', async t => {
  const feed = new EventFeed<Numbered>(2)
  const reader = feed[Symbol.asyncIterator]()
  for (const n of [1, 2, 3]) feed.publish(numbered(n))
  await reader.return?.()
  feed.publish(numbered(4))
  t.deepEqual(await reader.next(), { done: true, value: undefined })
})

test('property: what a slow subscriber does not see is counted, where it is missing', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      async (capacity, steps) => {
        const feed = new EventFeed<Numbered>(capacity)
        const reader = feed[Symbol.asyncIterator]()
        let published = 0
        let expected = 1
        const take = (event: Awaited<ReturnType<typeof reader.next>>['value']): void => {
          if (event === undefined) return
          if (event.type === 'events-dropped') expected += event.count
          else t.is(event.n, expected++)
        }
        for (const isPublish of steps) {
          if (isPublish) feed.publish(numbered(++published))
          else if (expected <= published) take((await reader.next()).value)
        }
        feed.end()
        for (const event of await rest(reader)) take(event)
        t.is(expected, published + 1)
      },
    ),
  )
})

async function rest<T>(iterator: AsyncIterator<T, undefined>): Promise<T[]> {
  const all: T[] = []
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) all.push(next.value)
  return all
}
