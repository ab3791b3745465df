import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { TestSystem } from 'spimpl/testing'
import { behavior, composition, type Ref, type ReplyTo } from 'spimpl-runtime'
import { contentLane } from '../../examples/composing/content-lane.ts'
import { discoveryAlone } from '../../examples/composing/discovery-alone.ts'
import { ownStore } from '../../examples/composing/own-store.ts'
import { twoSubnetworks } from '../../examples/composing/two-subnetworks.ts'
import { nodeApi } from '../../node/node.ts'
import { projectRoot } from '../vectors.ts'
import { blocks, inEveryWorld } from './worlds.ts'

const page = readFileSync(path.join(projectRoot, 'docs', 'composing.md'), 'utf8')
const [block] = blocks
const key = { type: 'body', number: block!.number } as const
const timeoutMs = 20_000

inEveryWorld('discovery alone: two nodes that meet', async (t, { options, start, until }) => {
  const one = await start(discoveryAlone(options))
  const other = await start(discoveryAlone(options))
  const to = other.started.ports.record.current
  const ping = one.refs.discovery.ask(replyTo => ({ type: 'ping', to, replyTo }), { timeoutMs })
  t.is((await until(ping)).enrSeq, to.seq)
  const rows = discoveryAlone(options).rows.map(({ row }) => row)
  t.deepEqual(rows, ['ports', 'transport', 'discovery'])
})

inEveryWorld('two sub-networks on one socket: a note is found, and one that was changed is not', async (t, world) => {
  const { options, start, until } = world
  const author = await start(twoSubnetworks(options))
  const reader = await start(twoSubnetworks(options))
  const to = author.started.ports.record.current
  let ref = 0
  const call = (call: { type: 'ping'; to: typeof to } | { type: 'lookup-content'; key: Uint8Array }) => {
    ref++
    return until(reader.refs.notes.ask(replyTo => ({ type: 'call', call: { ...call, ref }, replyTo }), { timeoutMs }))
  }
  t.like(await call({ type: 'ping', to }), { type: 'pong', enrSeq: to.seq })

  const write = async (note: Uint8Array, asKey: Uint8Array) => {
    const item = { type: 'put', contentId: asKey, key: asKey.slice(), value: note.slice() } as const
    await until(author.refs.storage.ask(replyTo => ({ ...item, replyTo }), { timeoutMs }))
  }
  const keyOf = (note: Uint8Array) => new Uint8Array(createHash('sha256').update(note).digest())
  const note = new Uint8Array(5_000).fill(7)
  await write(note, keyOf(note))
  const found = await call({ type: 'lookup-content', key: keyOf(note) })
  t.deepEqual(found.type === 'found' ? new Uint8Array(found.content) : found, note)

  const changed = keyOf(Uint8Array.of(1))
  await write(Uint8Array.of(2), changed)
  t.like(await call({ type: 'lookup-content', key: changed }), { type: 'failed', code: 'CONTENT_NOT_FOUND' })
  // The history network of both nodes goes on beside it.
  const history = nodeApi(reader.refs, reader.started.ports).history
  t.is((await until(history.ping(to))).enrSeq, to.seq)
})

inEveryWorld(
  'validation and storage on a lane: content is validated, stored, served and retrieved',
  async (t, world) => {
    const { options, start, until } = world
    const first = await start(contentLane(options))
    const second = await start(contentLane(options))
    const [a, b] = [nodeApi(first.refs, first.started.ports), nodeApi(second.refs, second.started.ports)]
    t.true(await until(a.history.store(key, block!.body.slice())))
    await until(b.history.ping(first.started.ports.record.current))
    t.deepEqual((await until(b.history.get(key)))?.content, block!.body)
    t.deepEqual(await until(b.history.local(key)), block!.body)
    await t.throwsAsync(until(a.history.store(key, blocks[1]!.body.slice())), { code: 'CONTENT_INVALID' })
    const lanes = contentLane(options).rows.map(({ row, lane }) => [row, lane])
    t.deepEqual(lanes.slice(0, 4), [
      ['ports', 'main'],
      ['storage', 'content'],
      ['validation', 'content'],
      ['transport', 'main'],
    ])
  },
)

inEveryWorld('a store of the reader: what is put there is served', async (t, { options, start, until }) => {
  const kept = new Map<string, Uint8Array>()
  const store = {
    capacityBytes: 1e9,
    radius: 2n ** 256n - 1n,
    usedBytes: 0,
    count: 0,
    has: (contentId: Uint8Array) => kept.has(String(contentId)),
    get: (contentId: Uint8Array) => {
      const value = kept.get(String(contentId))
      return value && { key: new Uint8Array(), value: value.slice() }
    },
    delete: async (contentId: Uint8Array) => kept.delete(String(contentId)),
    put: async (contentId: Uint8Array, _key: Uint8Array, value: Uint8Array) => {
      kept.set(String(contentId), value)
      return { stored: true as const, evicted: [], radius: store.radius }
    },
    close: async () => {},
  }
  const first = await start(ownStore(options, store))
  const second = await start(ownStore(options))
  const [a, b] = [nodeApi(first.refs, first.started.ports), nodeApi(second.refs, second.started.ports)]
  t.true(await until(a.history.store(key, block!.body.slice())))
  t.is(kept.size, 1)
  await until(b.history.ping(first.started.ports.record.current))
  t.deepEqual((await until(b.history.get(key)))?.content, block!.body)
  t.deepEqual(await until(b.history.local(key)), block!.body)
})

// From here to the empty line after it, the text is the page's.
type Stock = { type: 'take'; pieces: number } | { type: 'left'; replyTo: ReplyTo<number> }
type Till = { type: 'sell'; pieces: number }

const stock = (pieces: number) =>
  behavior<Stock>(() => ({
    take: order => {
      pieces -= order.pieces
    },
    left: ({ replyTo }) => {
      replyTo.tell(pieces)
    },
  }))

const till = (stock: Ref<Stock>) =>
  behavior<Till>(() => ({ sell: ({ pieces }) => void stock.tell({ type: 'take', pieces }) }))

const shop = composition('shop')
  .supervisor('goods', { strategy: 'rest-for-one', backoff: { minMs: 50, maxMs: 5_000 } })
  .with('stock', { behavior: () => stock(10) })
  .with('till', { needs: ['stock'], behavior: ({ stock }) => till(stock) })

test('the shop of the page is the one that is tested here, and prints the table of the page', async t => {
  const source = readFileSync(path.join(projectRoot, 'test', 'docs', 'composing.test.ts'), 'utf8')
  const bare = (code: string) => code.replace(/\s+/g, '')
  const here = source.slice(source.indexOf('type Stock'), source.indexOf("\ntest('the shop"))
  t.true(bare(page).includes(bare(here)))
  t.true(page.includes(`\n${shop}\n`))
  await using system = new TestSystem()
  const { refs } = await system.until(shop.start({ system }))
  refs.till.tell({ type: 'sell', pieces: 3 })
  await system.settle()
  t.is(await system.until(refs.stock.ask(replyTo => ({ type: 'left', replyTo }), { timeoutMs })), 7)
})

test('the four compositions of the page are the files named above them, each below 25 lines of code', t => {
  const listed = [...page.matchAll(/\[`(examples\/[^`]+)`\][^\n]*\n+```ts\n([\s\S]*?)```/g)]
  t.is(listed.length, 4)
  for (const [, file = '', code = ''] of listed) {
    t.is(readFileSync(path.join(projectRoot, file), 'utf8'), code, file)
    const lines = code.split('\n').filter(line => !/^\s*(\/\/.*|\/\*\*.*)?$/.test(line))
    t.true(lines.length < 25, `${file}: ${lines.length} lines`)
  }
})
