import { type Behavior, behavior } from 'spimpl-runtime/internal/actors/actor.js'
import { fromMachine } from 'spimpl-runtime/internal/actors/machine-behavior.js'
import type { Message } from 'spimpl-runtime/internal/actors/message.js'
import type { ReplyTo } from 'spimpl-runtime/internal/references/actor-ref.js'
import type { DeadLetter } from 'spimpl-runtime/internal/watching/dead-letters.js'
import { assign, createMachine, raise } from 'xstate'
import { type Cases, gate, type Stage } from './stage.ts'

export type Counter =
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'fail'; readonly error: Error }
  | { readonly type: 'hold'; readonly until: Promise<void> }

/** Counts what it is told; fails when it is told to. */
export const counter = behavior<Counter>(() => {
  let n = 0
  return {
    add: ({ by }) => {
      n += by
    },
    read: ({ replyTo }) => {
      replyTo.tell(n)
    },
    fail: ({ error }) => {
      throw error
    },
    hold: ({ until }) => until,
  }
})

export const read = (replyTo: ReplyTo<number>) => ({ type: 'read', replyTo }) as const
/** Far more than a machine keeps a process from its processor: only a defect takes so long. */
export const soon = { timeoutMs: 60_000 }

type Note = { readonly type: 'note'; readonly text: string }

/** Writes down what it is told. */
export function notebook(notes: string[]): Behavior<Note> {
  return behavior<Note>(() => ({ note: ({ text }) => void notes.push(text) }))
}

async function answer(stage: Stage, value: Promise<number>): Promise<number> {
  await stage.settle()
  return value
}

export const actorMessages: Cases = {
  'a message is handled by the handler of its tag': async (t, stage) => {
    const ref = stage.system().spawn(counter)
    t.true(ref.tell({ type: 'add', by: 2 }))
    t.true(ref.tell({ type: 'add', by: 3 }))
    t.is(await answer(stage, ref.ask(read, soon)), 5)
  },
  'tell never handles the message before it returns': async (t, stage) => {
    const notes: string[] = []
    const ref = stage.system().spawn(notebook(notes))
    ref.tell({ type: 'note', text: 'a' })
    t.deepEqual(notes, [])
    await stage.settle()
    t.deepEqual(notes, ['a'])
  },
  'the messages of one sender keep their order': async (t, stage) => {
    const notes: string[] = []
    const ref = stage.system().spawn(notebook(notes))
    for (let at = 0; at < 1_000; at++) ref.tell({ type: 'note', text: `${at}` })
    await stage.settle()
    t.deepEqual(
      notes,
      Array.from({ length: 1_000 }, (_, at) => `${at}`),
    )
  },
  'handlers are not re-entrant: a message to oneself waits': async (t, stage) => {
    const notes: string[] = []
    const echo = behavior<Note>(context => ({
      note: ({ text }) => {
        if (text === 'first') context.self.tell({ type: 'note', text: 'second' })
        notes.push(text)
      },
    }))
    stage.system().spawn(echo).tell({ type: 'note', text: 'first' })
    await stage.settle()
    t.deepEqual(notes, ['first', 'second'])
  },
  'a handler that awaits holds back the next message': async (t, stage) => {
    const ref = stage.system().spawn(counter)
    const until = gate()
    ref.tell({ type: 'hold', until: until.promise })
    ref.tell({ type: 'add', by: 1 })
    const value = ref.ask(read, soon)
    let answered = false
    void value.then(() => {
      answered = true
    })
    await stage.settle()
    t.false(answered)
    until.open()
    t.is(await answer(stage, value), 1)
  },
  'a re-entrant behaviour lets the next message in': async (t, stage) => {
    const until = gate()
    const notes: string[] = []
    const reentrant = behavior<Note>(
      () => ({
        note: async ({ text }) => {
          if (text === 'wait') await until.promise
          notes.push(text)
        },
      }),
      { reentrant: true },
    )
    const ref = stage.system().spawn(reentrant)
    ref.tell({ type: 'note', text: 'wait' })
    ref.tell({ type: 'note', text: 'go' })
    await stage.settle()
    t.deepEqual(notes, ['go'])
    until.open()
    await stage.settle()
    t.deepEqual(notes, ['go', 'wait'])
  },
  'setup runs on the queue of the actor, not in spawn': async (t, stage) => {
    let ran = false
    stage.system().spawn(
      behavior<Note>(() => {
        ran = true
        return { note: () => {} }
      }),
    )
    t.false(ran)
    await stage.settle()
    t.true(ran)
  },
  'messages sent before setup has run are handled behind it': async (t, stage) => {
    const notes: string[] = []
    const ref = stage.system().spawn(
      behavior<Note>(() => {
        notes.push('setup')
        return { note: ({ text }) => void notes.push(text) }
      }),
    )
    ref.tell({ type: 'note', text: 'early' })
    await stage.settle()
    t.deepEqual(notes, ['setup', 'early'])
  },
  'a class is a behaviour too': async (t, stage) => {
    class Adder {
      private sum = 0
      add({ by }: { readonly by: number }): void {
        this.sum += by
      }
      read({ replyTo }: { readonly replyTo: ReplyTo<number> }): void {
        replyTo.tell(this.sum)
      }
    }
    type Adding = Exclude<Counter, { readonly type: 'fail' | 'hold' }>
    const ref = stage.system().spawn(behavior<Adding>(() => new Adder()))
    ref.tell({ type: 'add', by: 4 })
    const value = ref.ask(replyTo => ({ type: 'read', replyTo }), soon)
    t.is(await answer(stage, value), 4)
  },
  'a message without a handler is a dead letter and a failure': async (t, stage) => {
    const system = stage.system()
    const letters: DeadLetter[] = []
    system.deadLetters.subscribe(letter => letters.push(letter))
    const ref = system.spawn(counter as unknown as Behavior<Message>, { name: 'c' })
    ref.tell({ type: 'misspelt' })
    await stage.settle()
    t.is(letters[0]?.reason, 'message-unknown')
    t.is(system.inspect().children[0]?.restarts, 1)
  },
  'names of Object.prototype are no tags': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter as unknown as Behavior<Message>)
    for (const type of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) ref.tell({ type })
    await stage.settle()
    t.is(system.deadLetters.counts.get('message-unknown'), 4)
  },
  'become goes on with another table': async (t, stage) => {
    const notes: string[] = []
    const ref = stage.system().spawn(
      behavior<Note>(context => ({
        note: ({ text }) => {
          notes.push(`one ${text}`)
          context.become({ note: ({ text }) => void notes.push(`two ${text}`) })
        },
      })),
    )
    for (const text of ['a', 'b', 'c']) ref.tell({ type: 'note', text })
    await stage.settle()
    t.deepEqual(notes, ['one a', 'two b', 'two c'])
  },
  'what is stashed comes back before all else, in its order': async (t, stage) => {
    const notes: string[] = []
    const ref = stage.system().spawn(
      behavior<Note>(context => {
        let ready = false
        return {
          note: message => {
            if (!ready && message.text !== 'ready') {
              context.stash(message)
              return
            }
            ready = true
            notes.push(message.text)
            context.unstashAll()
          },
        }
      }),
    )
    for (const text of ['a', 'b', 'ready', 'c']) ref.tell({ type: 'note', text })
    await stage.settle()
    t.deepEqual(notes, ['ready', 'a', 'b', 'c'])
  },
  'a stash is bounded': async (t, stage) => {
    const system = stage.system()
    const stashed: boolean[] = []
    const ref = system.spawn(
      behavior<Note>(context => ({ note: message => void stashed.push(context.stash(message)) }), { stashCapacity: 2 }),
    )
    for (const text of ['a', 'b', 'c']) ref.tell({ type: 'note', text })
    await stage.settle()
    t.deepEqual(stashed, [true, true, false])
    t.is(system.deadLetters.counts.get('stash-full'), 1)
    t.is(system.inspect().children[0]?.stashed, 2)
  },
  'actors on one serial queue exclude each other while one awaits': async (t, stage) => {
    const system = stage.system()
    const queue = stage.queue('shared', { target: system.main })
    const a = system.spawn(counter, { queue })
    const b = system.spawn(counter, { queue })
    const until = gate()
    a.tell({ type: 'hold', until: until.promise })
    const value = b.ask(read, soon)
    let answered = false
    void value.then(() => {
      answered = true
    })
    await stage.settle()
    t.false(answered)
    until.open()
    t.is(await answer(stage, value), 0)
  },
  'suspending its queue stops an actor, and loses nothing': async (t, stage) => {
    const system = stage.system()
    const queue = stage.queue('q', { target: system.main })
    const notes: string[] = []
    const ref = system.spawn(notebook(notes), { queue })
    await stage.settle()
    queue.suspend()
    ref.tell({ type: 'note', text: 'a' })
    await stage.settle()
    t.deepEqual(notes, [])
    queue.resume()
    await stage.settle()
    t.deepEqual(notes, ['a'])
  },
  'an actor runs on its queue': async (t, stage) => {
    const system = stage.system()
    const queue = stage.queue('q', { target: system.main })
    let held = false
    const ref = system.spawn(
      behavior<Note>(() => ({
        note: () => {
          queue.assertCurrent()
          held = true
        },
      })),
      { queue },
    )
    ref.tell({ type: 'note', text: '' })
    await stage.settle()
    t.true(held)
  },
  'a machine of xstate is a behaviour, with its delays and its state in the inspection': async (t, stage) => {
    const door = createMachine({
      types: {} as { events: { type: 'open' } | { type: 'close' } },
      initial: 'closed',
      states: {
        closed: { on: { open: 'opened' } },
        opened: { on: { close: 'closed' }, after: { 100: 'closed' } },
      },
    })
    const system = stage.system()
    const ref = system.spawn(fromMachine(door), { name: 'door' })
    const state = () => (system.inspect().children[0]?.description as { readonly state: string } | undefined)?.state
    const openedMs = stage.now()
    ref.tell({ type: 'open' })
    await stage.settle()
    const seen = state()
    // Who was kept from its processor for so long sees it closed again.
    if (stage.now() - openedMs < 100) t.is(seen, 'opened')
    await stage.advance(110)
    t.is(state(), 'closed')
  },
  'two delayed events of a machine that have one type both come': async (t, stage) => {
    const pulses = createMachine({
      types: {} as { events: { type: 'start' } | { type: 'pulse' }; context: { count: number } },
      context: { count: 0 },
      on: {
        start: { actions: [raise({ type: 'pulse' }, { delay: 80 }), raise({ type: 'pulse' }, { delay: 100 })] },
        pulse: { actions: assign({ count: ({ context }) => context.count + 1 }) },
      },
    })
    const system = stage.system()
    const startedMs = stage.now()
    system.spawn(fromMachine(pulses)).tell({ type: 'start' })
    await stage.settle()
    const { timers } = system.inspect().children[0]!
    if (stage.now() - startedMs < 80) t.is(timers, 2)
    await stage.advance(110)
    const seen = system.inspect().children[0]?.description as { readonly context: { readonly count: number } }
    t.is(seen.context.count, 2)
  },
  'a machine that leaves a state drops its delay, and one that ends stops its actor': async (t, stage) => {
    const fuse = createMachine({
      types: {} as { events: { type: 'cut' } },
      initial: 'burning',
      states: {
        burning: { after: { 3: 'exploded' }, on: { cut: 'out' } },
        exploded: {},
        out: { type: 'final' },
      },
    })
    const system = stage.system()
    system.spawn(fromMachine(fuse), { name: 'fuse' }).tell({ type: 'cut' })
    await stage.settle()
    t.deepEqual(system.inspect().children, [])
    t.is(system.main.timers.size, 0)
  },
}
