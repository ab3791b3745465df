import { type Behavior, behavior, type SpawnOptions } from 'spimpl-runtime/internal/actors/actor.js'
import type { Ref } from 'spimpl-runtime/internal/references/actor-ref.js'
import type { Supervision } from 'spimpl-runtime/internal/supervising/supervision.js'
import type { System } from 'spimpl-runtime/internal/system/system.js'
import { type Cases, gate, type Stage } from './stage.ts'

type Child = { readonly type: 'crash' } | { readonly type: 'leave' } | { readonly type: 'work' }
type Parent = { readonly type: 'nothing' }

/** A parent with named children that write down their starts and stops, and do as they are told. */
function family(
  stage: Stage,
  supervision: Supervision,
  children: Readonly<Record<string, SpawnOptions>>,
  system: System = stage.system({ randomness: { bytes: length => new Uint8Array(length), below: () => 0 } }),
) {
  const log: string[] = []
  const refs: Record<string, Ref<Child>> = {}
  const child = (name: string): Behavior<Child> =>
    behavior<Child>(context => {
      log.push(`+${name}`)
      context.onStop(() => void log.push(`-${name}`))
      return {
        crash: () => {
          throw new Error(`${name} crashed`)
        },
        leave: () => context.stop(),
        work: () => void log.push(`work ${name}`),
      }
    })
  const parent = behavior<Parent>(
    context => {
      for (const [name, options] of Object.entries(children)) {
        refs[name] = context.spawn(child(name), { name, ...options })
      }
      return { nothing: () => {} }
    },
    { supervision },
  )
  const ref = system.spawn(parent, { name: 'parent', restart: 'temporary' })
  return {
    system,
    log,
    ref,
    tell: async (name: string, type: Child['type']) => {
      refs[name]!.tell({ type })
      await stage.settle()
    },
    start: async () => {
      await stage.settle()
      log.length = 0
    },
    childNames: () => system.inspect().children[0]?.children.map(({ name }) => name) ?? [],
  }
}

const three = { a: {}, b: {}, c: {} }

export const actorSupervision: Cases = {
  'one-for-one restarts the one that failed': async (t, stage) => {
    const { log, start, tell } = family(stage, {}, three)
    await start()
    await tell('b', 'crash')
    t.deepEqual(log, ['-b', '+b'])
  },
  'one-for-all takes all down, the youngest first, and starts them in order': async (t, stage) => {
    const { log, start, tell } = family(stage, { strategy: 'one-for-all' }, three)
    await start()
    await tell('b', 'crash')
    t.deepEqual(log, ['-c', '-b', '-a', '+a', '+b', '+c'])
  },
  'rest-for-one restarts it and those that were started after it': async (t, stage) => {
    const { log, start, tell } = family(stage, { strategy: 'rest-for-one' }, three)
    await start()
    await tell('b', 'crash')
    t.deepEqual(log, ['-c', '-b', '+b', '+c'])
  },
  'rest-for-one of the last is one-for-one': async (t, stage) => {
    const { log, start, tell } = family(stage, { strategy: 'rest-for-one' }, three)
    await start()
    await tell('c', 'crash')
    t.deepEqual(log, ['-c', '+c'])
  },
  'the mailbox survives a restart, the message that failed does not': async (t, stage) => {
    const { log, start, tell, system } = family(stage, {}, { a: {} })
    await start()
    void tell('a', 'crash')
    await tell('a', 'work')
    t.deepEqual(log, ['-a', '+a', 'work a'])
    t.is(system.inspect().children[0]?.children[0]?.restarts, 1)
  },
  'a reference outlives restarts': async (t, stage) => {
    const { log, start, tell } = family(stage, {}, { a: {} })
    await start()
    for (let at = 0; at < 3; at++) await tell('a', 'crash')
    await tell('a', 'work')
    t.is(log.at(-1), 'work a')
  },
  'transient, the default: gone after it stopped itself': async (t, stage) => {
    const { log, start, tell, childNames } = family(stage, {}, { a: {}, b: {} })
    await start()
    await tell('a', 'leave')
    t.deepEqual(log, ['-a'])
    t.deepEqual(childNames(), ['b'])
  },
  'permanent: restarted also after it stopped itself': async (t, stage) => {
    const { log, start, tell, childNames } = family(stage, {}, { a: { restart: 'permanent' } })
    await start()
    await tell('a', 'leave')
    t.deepEqual(log, ['-a', '+a'])
    t.deepEqual(childNames(), ['a'])
  },
  'temporary: gone after a failure too': async (t, stage) => {
    const { log, start, tell, childNames } = family(stage, {}, { a: { restart: 'temporary' }, b: {} })
    await start()
    await tell('a', 'crash')
    t.deepEqual(log, ['-a'])
    t.deepEqual(childNames(), ['b'])
  },
  'a temporary that fails takes nobody with it': async (t, stage) => {
    const { log, start, tell } = family(stage, { strategy: 'one-for-all' }, { a: { restart: 'temporary' }, b: {} })
    await start()
    await tell('a', 'crash')
    t.deepEqual(log, ['-a'])
  },
  'more restarts than the intensity allows end the parent': async (t, stage) => {
    const supervision = { intensity: { restarts: 2, withinMs: 60_000 } }
    const { log, start, tell, system } = family(stage, supervision, three)
    await start()
    await tell('a', 'crash')
    await tell('a', 'crash')
    t.is(system.inspect().children.length, 1)
    log.length = 0
    await tell('b', 'crash')
    t.deepEqual(log.sort(), ['-a', '-b', '-c'])
    t.is(system.inspect().children.length, 0)
  },
  'intensity forgets what is longer ago than its time': async (t, stage) => {
    const supervision = { intensity: { restarts: 1, withinMs: 5 } }
    const { start, tell, system } = family(stage, supervision, { a: {} })
    await start()
    await tell('a', 'crash')
    await stage.advance(8)
    await tell('a', 'crash')
    t.is(system.inspect().children[0]?.children[0]?.restarts, 2)
  },
  'intensity zero allows none': async (t, stage) => {
    const { start, tell, system } = family(stage, { intensity: { restarts: 0, withinMs: 1 } }, { a: {} })
    await start()
    await tell('a', 'crash')
    t.is(system.inspect().children.length, 0)
  },
  'an exceeded intensity is a failure of the parent, which its own parent supervises': async (t, stage) => {
    const starts: string[] = []
    const crashing = behavior<Child>(() => {
      starts.push('child')
      return {
        crash: () => {
          throw new Error('again')
        },
        leave: () => {},
        work: () => {},
      }
    })
    let child: Ref<Child> | undefined
    const middle = behavior<Parent>(
      context => {
        starts.push('middle')
        child = context.spawn(crashing)
        return { nothing: () => {} }
      },
      { supervision: { intensity: { restarts: 0, withinMs: 1_000 } } },
    )
    const system = stage.system()
    system.spawn(
      behavior<Parent>(context => {
        context.spawn(middle)
        return { nothing: () => {} }
      }),
    )
    await stage.settle()
    child!.tell({ type: 'crash' })
    await stage.settle()
    t.deepEqual(starts, ['middle', 'child', 'middle', 'child'])
  },
  'the system stops when its own intensity is exceeded, and says why': async (t, stage) => {
    const system = stage.system({ supervision: { intensity: { restarts: 0, withinMs: 1 } } })
    const crashing = behavior<Child>(() => {
      throw new Error('not even a start')
    })
    system.spawn(crashing)
    await stage.settle()
    const report = await system.terminated
    t.is((report.failure as { readonly code: string }).code, 'RESTART_INTENSITY')
    t.is((report.failure as { readonly cause: Error }).cause.message, 'not even a start')
  },
  'back-off waits, longer each time': async (t, stage) => {
    const system = stage.system()
    const supervision = { backoff: { minMs: 4, maxMs: 100 } }
    const { log, start, tell } = family(stage, supervision, { a: {} }, system)
    await start()
    for (const leastMs of [4, 8, 16]) {
      log.length = 0
      const failedMs = system.now()
      await tell('a', 'crash')
      while (log.length < 2) await stage.advance(1)
      t.deepEqual(log, ['-a', '+a'])
      t.true(system.now() - failedMs >= leastMs)
    }
  },
  'messages wait during back-off': async (t, stage) => {
    const { log, start, tell } = family(stage, { backoff: { minMs: 4, maxMs: 4 } }, { a: {} })
    await start()
    await tell('a', 'crash')
    await tell('a', 'work')
    while (log.length < 3) await stage.advance(1)
    t.deepEqual(log, ['-a', '+a', 'work a'])
  },
  'stopping the parent during back-off leaves nothing behind': async (t, stage) => {
    const { start, tell, system, ref } = family(stage, { backoff: { minMs: 3, maxMs: 3 } }, { a: {} })
    await start()
    await tell('a', 'crash')
    system.stopActor(ref)
    await stage.advance(8)
    t.is(system.inspect().children.length, 0)
    t.is(system.main.timers.size, 0)
  },
  'a rejected promise of a handler is a failure like a throw': async (t, stage) => {
    const system = stage.system()
    let starts = 0
    const ref = system.spawn(
      behavior<Child>(() => {
        starts++
        return {
          crash: async () => {
            await undefined
            throw new Error('later')
          },
          leave: () => {},
          work: () => {},
        }
      }),
    )
    ref.tell({ type: 'crash' })
    await stage.settle()
    t.is(starts, 2)
  },
  'setup that throws is a failure': async (t, stage) => {
    const system = stage.system()
    let tries = 0
    system.spawn(
      behavior<Parent>(() => {
        if (++tries < 3) throw new Error('not yet')
        return { nothing: () => {} }
      }),
    )
    await stage.settle()
    t.is(tries, 3)
    t.is(system.inspect().children[0]?.state, 'running')
  },
  'timers and children die with a restart': async (t, stage) => {
    let lives = 0
    const system = stage.system()
    const ref = system.spawn(
      behavior<Child>(context => {
        if (++lives === 1) {
          context.timers.set('t', 60_000, { type: 'work' })
          context.spawn(behavior<Parent>(() => ({ nothing: () => {} })))
        }
        return {
          crash: () => {
            throw new Error('x')
          },
          leave: () => {},
          work: () => {},
        }
      }),
    )
    ref.tell({ type: 'crash' })
    await stage.settle()
    t.is(system.main.timers.size, 0)
    t.is(lives, 2)
    t.is(system.inspect().children[0]?.children.length, 0)
  },
  'an end waits for the handler, then the children, then the hooks': async (t, stage) => {
    const log: string[] = []
    const until = gate()
    const hook = gate()
    const system = stage.system()
    const ref = system.spawn(
      behavior<Child>(context => {
        context.spawn(
          behavior<Parent>(inner => {
            inner.onStop(() => void log.push('child'))
            return { nothing: () => {} }
          }),
        )
        context.onStop(() => void log.push('first hook'))
        context.onStop(() => {
          log.push('last hook')
          return hook.promise
        })
        return {
          crash: async () => {
            await until.promise
            log.push('handler')
          },
          leave: () => {},
          work: () => {},
        }
      }),
    )
    ref.tell({ type: 'crash' })
    await stage.settle()
    system.stopActor(ref)
    await stage.settle()
    t.deepEqual(log, [])
    until.open()
    await stage.settle()
    t.deepEqual(log, ['handler', 'child', 'last hook'])
    hook.open()
    await stage.settle()
    t.deepEqual(log, ['handler', 'child', 'last hook', 'first hook'])
  },
  'two children of one name are refused, a name is free again when its actor is gone': async (t, stage) => {
    const system = stage.system()
    const idle = behavior<Parent>(() => ({ nothing: () => {} }))
    const first = system.spawn(idle, { name: 'one' })
    t.throws(() => system.spawn(idle, { name: 'one' }), { code: 'ACTOR_NAME_TAKEN' })
    system.stopActor(first)
    await stage.settle()
    t.is(system.spawn(idle, { name: 'one' }).path, '/one')
  },
  'an actor stops only its own children': async (t, stage) => {
    const system = stage.system()
    const idle = behavior<Parent>(() => ({ nothing: () => {} }))
    const stranger = system.spawn(idle)
    let refused = false
    system.spawn(
      behavior<Parent>(context => {
        t.throws(() => context.stop(stranger), { code: 'REF_FOREIGN' })
        refused = true
        return { nothing: () => {} }
      }),
    )
    await stage.settle()
    t.true(refused)
  },
  'jitter takes away up to its share': async (t, stage) => {
    const system = stage.system({ randomness: { bytes: n => new Uint8Array(n), below: bound => bound - 1 } })
    const supervision = { backoff: { minMs: 10, maxMs: 10, jitter: 1 } }
    const { log, start, tell } = family(stage, supervision, { a: {} }, system)
    await start()
    await tell('a', 'crash')
    await stage.advance(3)
    t.deepEqual(log, ['-a', '+a'])
  },
}
