import { getEventListeners } from 'node:events'
import { type Behavior, behavior } from 'spimpl-runtime/internal/actors/actor.js'
import { router } from 'spimpl-runtime/internal/actors/router.js'
import { SimulationExecutor } from 'spimpl-runtime/internal/executors/simulation.js'
import { DispatchQueue } from 'spimpl-runtime/internal/queues/dispatch-queue.js'
import { RootQueue } from 'spimpl-runtime/internal/queues/root-queue.js'
import type { Ref, ReplyTo } from 'spimpl-runtime/internal/references/actor-ref.js'
import type { Terminated } from 'spimpl-runtime/internal/supervising/termination.js'
import { soon } from './actor-messages.ts'
import { type Cases, gate } from './stage.ts'

type Part =
  | { readonly type: 'note'; readonly n: number }
  | { readonly type: 'tick' }
  | { readonly type: 'ended' }
  | { readonly type: 'crash' }
  | { readonly type: 'leave' }
  | { readonly type: 'ask'; readonly replyTo: ReplyTo<string> }

const ask = (replyTo: ReplyTo<string>) => ({ type: 'ask', replyTo }) as const

/** A part that keeps what it handles in `log`; `changed` are the handlers that a case gives it. */
function part(log: string[], changed: Partial<ReturnType<Behavior<Part>['setup']>> = {}): Behavior<Part> {
  return behavior<Part>(context => ({
    note: ({ n }) => void log.push(`note ${n}`),
    tick: () => void log.push('tick'),
    ended: () => void log.push('ended'),
    crash: () => {
      throw new Error('crash')
    },
    leave: () => context.stop(),
    ask: () => {
      throw new RangeError('no answer')
    },
    ...changed,
  }))
}

const notes = (ref: Ref<Part>, count: number): void => {
  for (let n = 0; n < count; n++) ref.tell({ type: 'note', n })
}

/** What no overflow drops, who learns of a failure, and what outlives it. */
export const actorFaults: Cases = {
  'drop-oldest passes over a death notice': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const other = system.spawn(part([]))
    const watcher = behavior<Part>(context => {
      context.watch(other, { type: 'ended' })
      return part(log).setup(context)
    })
    const ref = system.spawn(watcher, { mailbox: { capacity: 2, overflow: 'drop-oldest' } })
    await stage.settle()
    system.stopActor(other)
    notes(ref, 5)
    await stage.settle()
    t.deepEqual(log, ['ended', 'note 4'])
  },
  'drop-oldest passes over a timer': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const queue = stage.queue('q')
    const timed = behavior<Part>(context => {
      context.timers.set('tick', 2, { type: 'tick' })
      return part(log).setup(context)
    })
    const ref = system.spawn(timed, { queue, mailbox: { capacity: 1, overflow: 'drop-oldest' } })
    await stage.settle()
    queue.suspend()
    await stage.advance(6)
    notes(ref, 3)
    queue.resume()
    await stage.settle()
    t.deepEqual(log, ['tick', 'note 2'])
    t.is(system.inspect().children[0]?.processed, 2)
  },
  'drop-oldest passes over the order to stop': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const ref = system.spawn(part(log), { mailbox: { capacity: 2, overflow: 'drop-oldest' } })
    await stage.settle()
    notes(ref, 1)
    system.stopActor(ref, { drain: true })
    notes(ref, 4)
    await stage.settle()
    t.is(system.actorCount, 0)
  },
  'dropping the oldest from a handler keeps the id of the message at hand': async (t, stage) => {
    const system = stage.system()
    const causes: number[] = []
    const ref = system.spawn(
      behavior<Part>(context => ({
        ...part([]).setup(context),
        tick: () => {
          const before = context.cause
          notes(context.self, 4)
          causes.push(before, context.cause)
        },
      })),
      { mailbox: { capacity: 2, overflow: 'drop-oldest' } },
    )
    ref.tell({ type: 'tick' })
    await stage.settle()
    t.is(causes[0], causes[1])
    t.true(causes[0]! > 0)
  },
  'a mailbox without room for a message is refused': (t, stage) => {
    const system = stage.system()
    for (const capacity of [0, -1, Number.NaN]) {
      t.throws(() => system.spawn(part([]), { mailbox: { capacity } }), { code: 'CONFIG_INVALID' })
    }
    t.is(system.actorCount, 0)
  },
  'a queue of another root is refused': (t, stage) => {
    const system = stage.system()
    const queue = new DispatchQueue('elsewhere', { target: new RootQueue(new SimulationExecutor()) })
    t.throws(() => system.spawn(part([]), { queue }), { code: 'QUEUE_TARGET_INVALID' })
  },
  'draining stops a permanent actor too': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const ref = system.spawn(part(log), { restart: 'permanent' })
    notes(ref, 2)
    system.stopActor(ref, { drain: true })
    await stage.settle()
    t.deepEqual(log, ['note 0', 'note 1'])
    t.is(system.actorCount, 0)
  },
  'whoever asked the handler that throws learns it at once': async (t, stage) => {
    const ref = stage.system().spawn(part([]))
    const asked = t.throwsAsync(ref.ask(ask, soon), { code: 'ACTOR_FAILED' })
    await stage.settle()
    t.true((await asked)?.cause instanceof RangeError)
  },
  'whoever asked the handler that rejects learns it at once': async (t, stage) => {
    const rejects = part([], { ask: () => Promise.reject(new RangeError('later')) })
    const asked = t.throwsAsync(stage.system().spawn(rejects).ask(ask, soon), { code: 'ACTOR_FAILED' })
    await stage.settle()
    await asked
  },
  'a question whose message cannot be made leaves nothing': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(part([]))
    const make = () => {
      throw new RangeError('make')
    }
    await t.throwsAsync(ref.ask(make, soon), { instanceOf: RangeError })
    t.is(system.main.timers.size, 0)
  },
  'one signal ends any number of questions, and is left without a listener': async (t, stage) => {
    const system = stage.system()
    const mute = system.spawn(part([], { ask: () => {} }))
    const abort = new AbortController()
    const options = { timeoutMs: 60_000, signal: abort.signal }
    const answered = system.spawn(part([], { ask: ({ replyTo }) => void replyTo.tell('here') })).ask(ask, options)
    await stage.settle()
    t.is(await answered, 'here')
    t.is(getEventListeners(abort.signal, 'abort').length, 0)
    const asked = Array.from({ length: 20 }, () => t.throwsAsync(mute.ask(ask, options), { code: 'ASK_ABORTED' }))
    t.is(getEventListeners(abort.signal, 'abort').length, 1)
    await stage.settle()
    abort.abort()
    await Promise.all(asked)
    t.is(getEventListeners(abort.signal, 'abort').length, 0)
    t.is(system.main.timers.size, 0)
  },
  'a re-entrant actor may ask itself': async (t, stage) => {
    type Self = { readonly type: 'outer' | 'inner'; readonly replyTo: ReplyTo<string> }
    const ref = stage.system().spawn(
      behavior<Self>(
        context => ({
          outer: async ({ replyTo }) => {
            replyTo.tell(await context.self.ask(inner => ({ type: 'inner', replyTo: inner }), soon))
          },
          inner: ({ replyTo }) => void replyTo.tell('myself'),
        }),
        { reentrant: true },
      ),
    )
    const answer = ref.ask(replyTo => ({ type: 'outer', replyTo }), soon)
    await stage.settle()
    t.is(await answer, 'myself')
  },
  'a notice that cannot be made fails the watcher, and the end goes on': async (t, stage) => {
    const system = stage.system()
    const other = system.spawn(part([]), { name: 'other' })
    const watcher = behavior<Part>(context => {
      const makes = (_notice: Terminated): Part => {
        throw new Error('notice')
      }
      context.watch(other, makes)
      return part([]).setup(context)
    })
    system.spawn(watcher, { name: 'watcher', restart: 'temporary' })
    await stage.settle()
    system.stopActor(other)
    await stage.settle()
    t.is(system.actorCount, 0)
    t.notThrows(() => system.spawn(part([]), { name: 'other' }))
  },
  'a description that cannot be made does not hide the tree': async (t, stage) => {
    const system = stage.system()
    system.spawn(
      behavior<Part>(context => {
        context.describe(() => {
          throw new Error('no description')
        })
        return part([]).setup(context)
      }),
    )
    await stage.settle()
    t.deepEqual(system.inspect().children[0]?.description, { error: 'no description' })
  },
  'a handler that throws after it stopped its actor changes nothing': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(
      behavior<Part>(context => ({
        ...part([]).setup(context),
        leave: () => {
          context.stop()
          throw new Error('too late')
        },
      })),
    )
    ref.tell({ type: 'leave' })
    await stage.settle()
    t.is(system.actorCount, 0)
  },
  'a link holds over a restart that is no failure of its end': async (t, stage) => {
    const system = stage.system()
    const parts: Ref<Part>[] = []
    const parent = behavior<Part>(
      context => {
        parts.push(context.spawn(part([])), context.spawn(part([])))
        return part([]).setup(context)
      },
      { supervision: { strategy: 'one-for-all' } },
    )
    system.spawn(parent)
    await stage.settle()
    let lives = 0
    system.spawn(
      behavior<Part>(context => {
        lives++
        context.link(parts[0]!)
        return part([]).setup(context)
      }),
    )
    await stage.settle()
    parts[1]!.tell({ type: 'crash' })
    await stage.settle()
    t.is(lives, 1)
    parts[0]!.tell({ type: 'crash' })
    await stage.settle()
    t.is(lives, 2)
  },
  'a link to an actor that is about to restart holds for its next life': async (t, stage) => {
    const system = stage.system()
    const held = gate()
    const slow = behavior<Part>(context => {
      context.onStop(() => held.promise)
      return part([]).setup(context)
    })
    const other = system.spawn(slow)
    await stage.settle()
    other.tell({ type: 'crash' })
    await stage.settle()
    let lives = 0
    system.spawn(
      behavior<Part>(context => {
        lives++
        context.link(other)
        return part([]).setup(context)
      }),
    )
    await stage.settle()
    held.open()
    await stage.settle()
    other.tell({ type: 'crash' })
    await stage.settle()
    t.is(lives, 2)
  },
  'a routee that stops gets nothing more, and with the last the router stops': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const routed = router(part(log), { routees: 2, routing: 'round-robin' })
    const ref = system.spawn(routed)
    ref.tell({ type: 'leave' })
    await stage.settle()
    notes(ref, 4)
    await stage.settle()
    t.is(log.length, 4)
    t.is(system.deadLetters.counts.get('stopped'), undefined)
    ref.tell({ type: 'leave' })
    await stage.settle()
    t.is(system.actorCount, 0)
  },
  'the keys of other routees stay when one is gone': async (t, stage) => {
    const system = stage.system()
    const owners: Record<number, Set<string>> = {}
    const keyed = behavior<Part>(context => ({
      ...part([]).setup(context),
      note: ({ n }) => {
        owners[n] ??= new Set()
        owners[n].add(context.path)
      },
    }))
    const key = (message: Part) => (message.type === 'note' ? `${message.n}` : '')
    const ref = system.spawn(router(keyed, { routees: 4, routing: 'consistent-hash', key }))
    notes(ref, 200)
    ref.tell({ type: 'leave' })
    await stage.settle()
    const gone = new Set(Object.values(owners).flatMap(paths => [...paths]))
    t.is(gone.size, 4)
    notes(ref, 200)
    await stage.settle()
    for (const { path } of system.inspect().children[0]!.children) gone.delete(path)
    t.is(gone.size, 1)
    const [left] = gone
    for (const paths of Object.values(owners)) t.is(paths.size, paths.has(left!) ? 2 : 1)
  },
  'no actor starts beside the phases of a system that stops': async (t, stage) => {
    const system = stage.system({ phases: [{ name: 'first' }, { name: 'second' }] })
    const held = gate()
    system.spawn(
      behavior<Part>(context => {
        context.onStop(() => held.promise)
        return part([]).setup(context)
      }),
      { phase: 'second' },
    )
    await stage.settle()
    const stopped = system.stop()
    t.throws(() => system.spawn(part([])), { code: 'ACTOR_STOPPED' })
    held.open()
    await stage.settle()
    await stopped
    t.is(system.actorCount, 0)
  },
}
