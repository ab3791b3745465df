import { type Behavior, behavior } from 'spimpl-runtime/internal/actors/actor.js'
import { router } from 'spimpl-runtime/internal/actors/router.js'
import type { Ref } from 'spimpl-runtime/internal/references/actor-ref.js'
import { type ActorEvent, diagnostics } from 'spimpl-runtime/internal/watching/diagnostics.js'
import { formatTree } from 'spimpl-runtime/internal/watching/inspection.js'
import { Recorder } from 'spimpl-runtime/internal/watching/recorder.js'
import { counter } from './actor-messages.ts'
import { type Cases, turn } from './stage.ts'

type Hop = { readonly type: 'hop'; readonly left: number }
type Job = { readonly type: 'job'; readonly key: string }

const hopping: Behavior<Hop> = behavior<Hop>(context => ({
  hop: ({ left }) => {
    if (left > 0) context.self.tell({ type: 'hop', left: left - 1 })
  },
}))

/** Writes down which routee had which job. */
function worker(done: [string, string][]): Behavior<Job> {
  return behavior<Job>(context => ({ job: ({ key }) => void done.push([context.path, key]) }))
}

/** Message ids, records, histograms, inspection, timers, routers. */
export const actorObservation: Cases = {
  'every hop carries its id and that of its cause': async (t, stage) => {
    const recorder = new Recorder({ capacity: 64 })
    const system = stage.system({ recorder })
    system.spawn(hopping, { name: 'h' }).tell({ type: 'hop', left: 2 })
    await stage.settle()
    const hops = [...recorder.records()].filter(({ kind }) => kind === 'handled')
    t.is(hops.length, 3)
    t.is(hops[0]!.causeId, 0)
    t.is(hops[1]!.causeId, hops[0]!.messageId)
    t.is(hops[2]!.causeId, hops[1]!.messageId)
    t.deepEqual([hops[0]!.path, hops[0]!.tag], ['/h', 'hop'])
  },
  'ids are unique and grow': async (t, stage) => {
    const recorder = new Recorder({ capacity: 1024 })
    const system = stage.system({ recorder })
    const ref = system.spawn(hopping)
    for (let at = 0; at < 100; at++) ref.tell({ type: 'hop', left: 1 })
    await stage.settle()
    const ids = [...recorder.records()].filter(({ kind }) => kind === 'handled').map(({ messageId }) => messageId)
    t.is(new Set(ids).size, 200)
    t.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    )
  },
  'context.tell keeps the cause over an await': async (t, stage) => {
    const recorder = new Recorder({ capacity: 64 })
    const system = stage.system({ recorder })
    const end = system.spawn(hopping, { name: 'end' })
    const late = system.spawn(
      behavior<Hop>(context => ({
        hop: async () => {
          await turn()
          context.tell(end, { type: 'hop', left: 0 })
        },
      })),
    )
    late.tell({ type: 'hop', left: 0 })
    for (let at = 0; at < 5; at++) await stage.settle()
    const hops = [...recorder.records()].filter(({ kind }) => kind === 'handled')
    t.is(hops[1]?.path, '/end')
    t.is(hops[1]?.causeId, hops[0]?.messageId)
  },
  'a timer message has no cause': async (t, stage) => {
    const recorder = new Recorder({ capacity: 64 })
    stage.system({ recorder }).spawn(
      behavior<Hop>(context => {
        context.timers.set('t', 1, { type: 'hop', left: 0 })
        return { hop: () => {} }
      }),
    )
    await stage.advance(5)
    const [hop] = [...recorder.records()].filter(({ kind }) => kind === 'handled')
    t.is(hop?.causeId, 0)
  },
  'the recorder keeps starts, failures, restarts, dead letters and ends': async (t, stage) => {
    const recorder = new Recorder({ capacity: 64 })
    const system = stage.system({ recorder })
    const ref = system.spawn(counter, { name: 'c' })
    ref.tell({ type: 'fail', error: new Error('x') })
    await stage.settle()
    system.stopActor(ref)
    await stage.settle()
    ref.tell({ type: 'add', by: 1 })
    const kinds = [...recorder.records()].filter(({ path }) => path === '/c').map(({ kind }) => kind)
    t.deepEqual(kinds, ['started', 'handled', 'failed', 'restarted', 'stopped', 'dead-letter'])
  },
  'the recorder has a fixed size and keeps the newest': async (t, stage) => {
    const recorder = new Recorder({ capacity: 16 })
    const system = stage.system({ recorder })
    system.spawn(hopping).tell({ type: 'hop', left: 100 })
    await stage.settle()
    t.is(recorder.size, 16)
    t.true(recorder.written > 100)
    t.is(recorder.bytes().byteLength, 16 * 40)
    // A start has no id, and where the order is free that of the top of the tree may come last.
    const ids = [...recorder.records()].map(({ messageId }) => messageId).filter(id => id > 0)
    t.deepEqual(
      [...ids].sort((a, b) => a - b),
      ids,
    )
  },
  'an actor that lives keeps its name in the records, however many came and went': async (t, stage) => {
    const recorder = new Recorder({ capacity: 4 })
    const system = stage.system({ recorder })
    const lasting = system.spawn(hopping, { name: 'lasting' })
    await stage.settle()
    for (let at = 0; at < 30; at++) {
      const passing = system.spawn(hopping)
      await stage.settle()
      system.stopActor(passing)
    }
    lasting.tell({ type: 'hop', left: 0 })
    await stage.settle()
    t.is([...recorder.records()].at(-1)?.path, '/lasting')
  },
  'a recorder that is switched off keeps nothing': async (t, stage) => {
    const recorder = new Recorder({ capacity: 16 })
    recorder.enabled = false
    const system = stage.system({ recorder })
    system.spawn(hopping).tell({ type: 'hop', left: 1 })
    await stage.settle()
    t.is(recorder.written, 0)
  },
  'a measured system has histograms for each actor': async (t, stage) => {
    const system = stage.system({ measured: true })
    const ref = system.spawn(counter)
    for (let at = 0; at < 10; at++) ref.tell({ type: 'add', by: 1 })
    await stage.settle()
    const { inMailbox, inHandler } = system.inspect().children[0]!
    t.is(inHandler?.count, 10)
    t.is(inMailbox?.count, 10)
    t.true(inHandler!.p99Microseconds <= inHandler!.maxMicroseconds)
  },
  'time in the mailbox is measured also of a timer, and of what took the place of another': async (t, stage) => {
    const system = stage.system({ measured: true })
    const queue = stage.queue()
    const timed = behavior<Hop>(context => {
      context.timers.set('t', 1, { type: 'hop', left: 0 })
      return { hop: () => {} }
    })
    system.spawn(timed, { name: 'timed' })
    const ref = system.spawn(hopping, { name: 'crowded', queue, mailbox: { capacity: 1, overflow: 'drop-oldest' } })
    await stage.settle()
    queue.suspend()
    for (let at = 0; at < 3; at++) ref.tell({ type: 'hop', left: 0 })
    await stage.advance(4)
    queue.resume()
    await stage.settle()
    const counts = system.inspect().children.map(({ name, inMailbox }) => [name, inMailbox?.count])
    t.deepEqual(counts, [
      ['timed', 1],
      ['crowded', 1],
    ])
    t.true((system.inspect().children[1]?.inMailbox?.maxMicroseconds ?? 0) >= 4_000)
  },
  'an unmeasured system has none': async (t, stage) => {
    const system = stage.system()
    system.spawn(counter)
    t.is(system.inspect().children[0]?.inHandler, undefined)
  },
  'inspection is the tree as data': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(
      behavior<Hop>(context => {
        context.spawn(hopping, { name: 'child' })
        context.describe(() => ({ mood: 'fine' }))
        return { hop: () => {} }
      }),
      { name: 'parent', restart: 'permanent', mailbox: { capacity: 8, overflow: 'drop-oldest' } },
    )
    await stage.settle()
    ref.tell({ type: 'hop', left: 0 })
    const [parent] = system.inspect().children
    t.like(parent, {
      path: '/parent',
      state: 'running',
      restart: 'permanent',
      mailbox: { depth: 1, capacity: 8, overflow: 'drop-oldest' },
      description: { mood: 'fine' },
    })
    t.is(parent?.children[0]?.path, '/parent/child')
    t.regex(formatTree(system.inspect()), /parent running, 1 waiting/)
    t.notThrows(() => structuredClone(system.inspect()))
  },
  'diagnostics channels publish the life of actors': async (t, stage) => {
    const seen: string[] = []
    const listen = (kind: string) => (event: unknown) => {
      const { path, system } = event as ActorEvent
      if (system === 'watched' && path !== '') seen.push(`${kind} ${path}`)
    }
    const listeners = Object.entries(diagnostics).map(([kind, channel]) => ({ channel, on: listen(kind) }))
    for (const { channel, on } of listeners) channel.subscribe(on)
    const system = stage.system({ name: 'watched' })
    const ref = system.spawn(counter, { name: 'c' })
    ref.tell({ type: 'fail', error: new Error('x') })
    await stage.settle()
    system.stopActor(ref)
    ref.tell({ type: 'add', by: 1 })
    for (const { channel, on } of listeners) channel.unsubscribe(on)
    t.deepEqual(seen, ['started /c', 'failed /c', 'restarted /c', 'stopped /c', 'deadLetter /c'])
  },
  'context.log names the actor and the message at hand': async (t, stage) => {
    const records: { path: string; message: string; cause: number }[] = []
    const system = stage.system({ log: record => records.push(record) })
    system
      .spawn(
        behavior<Hop>(context => ({ hop: () => context.log.info('hopped') })),
        { name: 'h' },
      )
      .tell({ type: 'hop', left: 0 })
    await stage.settle()
    t.is(records[0]?.path, '/h')
    t.true((records[0]?.cause ?? 0) > 0)
  },
  'setting a timer of the same key moves it': async (t, stage) => {
    const { clock } = stage.staged.executor
    let firedMs = 0
    let fired = 0
    const startMs = clock.now()
    stage.system().spawn(
      behavior<Hop>(context => {
        context.timers.set('t', 2, { type: 'hop', left: 0 })
        context.timers.set('t', 8, { type: 'hop', left: 1 })
        return {
          hop: ({ left }) => {
            fired += left
            firedMs = clock.now()
          },
        }
      }),
    )
    await stage.advance(14)
    t.is(fired, 1)
    t.true(firedMs - startMs >= 8)
  },
  'setAt takes the deadline of a core as it is, Infinity too': async (t, stage) => {
    let fired = 0
    const system = stage.system()
    system.spawn(
      behavior<Hop>(context => {
        context.timers.setAt('core', context.now() + 2, { type: 'hop', left: 0 })
        context.timers.setAt('never', Number.POSITIVE_INFINITY, { type: 'hop', left: 0 })
        context.timers.setAt('gone', context.now() + 3, { type: 'hop', left: 0 })
        context.timers.setAt('gone', Number.POSITIVE_INFINITY, { type: 'hop', left: 0 })
        return { hop: () => void fired++ }
      }),
    )
    await stage.advance(8)
    t.is(fired, 1)
    t.is(system.main.timers.size, 0)
  },
  'a moment that has passed fires soon': async (t, stage) => {
    let fired = 0
    stage.system().spawn(
      behavior<Hop>(context => {
        context.timers.setAt('t', context.now() - 100, { type: 'hop', left: 0 })
        return { hop: () => void fired++ }
      }),
    )
    await stage.advance(4)
    t.is(fired, 1)
  },
  'a cancelled timer does not fire': async (t, stage) => {
    stage.system().spawn(
      behavior<Hop>(context => {
        context.timers.set('t', 1, { type: 'hop', left: 0 })
        t.true(context.timers.cancel('t'))
        t.false(context.timers.cancel('t'))
        return { hop: () => t.fail() }
      }),
    )
    await stage.advance(5)
  },
  'round-robin gives each routee its turn': async (t, stage) => {
    const done: [string, string][] = []
    const ref: Ref<Job> = stage
      .system()
      .spawn(router(worker(done), { routees: 3, routing: 'round-robin' }), { name: 'r' })
    for (let at = 0; at < 6; at++) ref.tell({ type: 'job', key: `${at}` })
    await stage.settle()
    const count = new Map<string, number>()
    for (const [path] of done) count.set(path, (count.get(path) ?? 0) + 1)
    t.deepEqual([...count.values()], [2, 2, 2])
  },
  'a router that stops leaves no dead letter of its own': async (t, stage) => {
    const system = stage.system()
    const letters: unknown[] = []
    system.deadLetters.subscribe(letter => letters.push(letter))
    const ref = system.spawn(router(worker([]), { routees: 3, routing: 'round-robin' }))
    ref.tell({ type: 'job', key: 'a' })
    await stage.settle()
    system.stopActor(ref)
    await stage.settle()
    t.deepEqual(letters, [])
  },
  'a router with options that make no sense is a typed error': t => {
    for (const [options, message] of [
      [{ routees: 0, routing: 'round-robin' }, /a whole number of routees from 1 on, got 0/],
      [{ routees: 2, routing: 'random' }, /a routing of round-robin, .*, got "random"/],
      [{ routees: 2, routing: 'consistent-hash' }, /a key for consistent-hash, got undefined/],
    ] as const) {
      t.throws(() => router(worker([]), options as never), { code: 'CONFIG_INVALID', message })
    }
  },
  'least-loaded passes by who is busy': async (t, stage) => {
    const done: string[] = []
    const held: (() => void)[] = []
    const slow = behavior<Job>(context => ({
      job: ({ key }) => {
        done.push(`${context.path} ${key}`)
        return key === 'slow' ? new Promise<void>(resolve => held.push(resolve)) : undefined
      },
    }))
    const ref = stage.system().spawn(router(slow, { routees: 2, routing: 'least-loaded' }), { name: 'r' })
    ref.tell({ type: 'job', key: 'slow' })
    await stage.settle()
    for (let at = 0; at < 4; at++) {
      ref.tell({ type: 'job', key: 'quick' })
      await stage.settle()
    }
    const busy = done[0]!.split(' ')[0]!
    t.is(done.filter(line => line.startsWith(busy)).length, 1)
    t.is(done.length, 5)
    for (const release of held) release()
  },
  'consistent-hash gives one key to one routee': async (t, stage) => {
    const done: [string, string][] = []
    const routing = { routees: 4, routing: 'consistent-hash', key: ({ key }: Job) => key } as const
    const ref = stage.system().spawn(router(worker(done), routing), { name: 'r' })
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 50; at++) ref.tell({ type: 'job', key: `key ${at}` })
    }
    await stage.settle()
    const homes = new Map<string, Set<string>>()
    for (const [path, key] of done) homes.set(key, (homes.get(key) ?? new Set()).add(path))
    t.true([...homes.values()].every(paths => paths.size === 1))
    t.is(new Set(done.map(([path]) => path)).size, 4)
  },
  'a routee that fails is supervised by its router': async (t, stage) => {
    const system = stage.system()
    let starts = 0
    const fragile = behavior<Job>(() => {
      starts++
      return {
        job: () => {
          throw new Error('x')
        },
      }
    })
    system.spawn(router(fragile, { routees: 2, routing: 'round-robin' }), { name: 'r' }).tell({ type: 'job', key: '' })
    await stage.settle()
    t.is(starts, 3)
  },
}
