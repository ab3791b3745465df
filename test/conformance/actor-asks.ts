import { behavior } from 'spimpl-runtime/internal/actors/actor.js'
import type { Ref, ReplyTo } from 'spimpl-runtime/internal/references/actor-ref.js'
import { SpimplError } from '../../src/errors.ts'
import { counter, read, soon } from './actor-messages.ts'
import { type Cases, gate } from './stage.ts'

type Question = { readonly type: 'question'; readonly replyTo: ReplyTo<string> }
const question = (replyTo: ReplyTo<string>) => ({ type: 'question', replyTo }) as const

/** Asks, mailboxes and what becomes of messages that nobody handles. */
export const actorAsks: Cases = {
  'ask settles with the answer': async (t, stage) => {
    const value = stage.system().spawn(counter).ask(read, soon)
    await stage.settle()
    t.is(await value, 0)
  },
  'ask rejects at its deadline, and leaves no timer': async (t, stage) => {
    const system = stage.system()
    const mute = system.spawn(behavior<Question>(() => ({ question: () => {} })))
    const asked = t.throwsAsync(mute.ask(question, { timeoutMs: 4 }), { code: 'ASK_TIMEOUT' })
    await stage.advance(8)
    await asked
    t.is(system.main.timers.size, 0)
  },
  'an ask without a deadline is a typed error, and nothing is sent': async (t, stage) => {
    const ref = stage.system().spawn(counter, { name: 'counter' })
    for (const options of [undefined, {}, { timeoutMs: Number.NaN }, { timeoutMs: -1 }, { timeoutMs: '5' }]) {
      const asked = ref.ask(read, options as never)
      const error = await t.throwsAsync(asked, { code: 'CONFIG_INVALID' })
      t.regex(error?.message ?? '', /^ask of .*\/counter: expected timeoutMs from 0 on, got (undefined|NaN|-1|"5")$/)
    }
  },
  'an answer cancels the deadline': async (t, stage) => {
    const system = stage.system()
    const value = system.spawn(counter).ask(read, soon)
    await stage.settle()
    await value
    t.is(system.main.timers.size, 0)
  },
  'an answer that comes too late is a dead letter': async (t, stage) => {
    const system = stage.system()
    let late: ReplyTo<string> | undefined
    const ref = system.spawn(
      behavior<Question>(() => ({
        question: ({ replyTo }) => {
          late = replyTo
        },
      })),
    )
    const asked = t.throwsAsync(ref.ask(question, { timeoutMs: 3 }), { code: 'ASK_TIMEOUT' })
    await stage.advance(6)
    await asked
    t.false(late!.tell('sorry'))
    t.is(system.deadLetters.counts.get('reply-late'), 1)
  },
  'the second answer counts for nothing': async (t, stage) => {
    const answers: boolean[] = []
    const ref = stage.system().spawn(
      behavior<Question>(() => ({
        question: ({ replyTo }) => {
          answers.push(replyTo.tell('one'), replyTo.tell('two'))
        },
      })),
    )
    const value = ref.ask(question, soon)
    await stage.settle()
    t.is(await value, 'one')
    t.deepEqual(answers, [true, false])
  },
  'ask rejects with the error of fail': async (t, stage) => {
    const ref = stage.system().spawn(
      behavior<Question>(() => ({
        question: ({ replyTo }) => {
          replyTo.fail(new SpimplError('CONTENT_NOT_FOUND', 'none'))
        },
      })),
    )
    const asked = t.throwsAsync(ref.ask(question, soon), { code: 'CONTENT_NOT_FOUND' })
    await stage.settle()
    await asked
  },
  'aborting the signal rejects': async (t, stage) => {
    const system = stage.system()
    const mute = system.spawn(behavior<Question>(() => ({ question: () => {} })))
    const abort = new AbortController()
    const asked = t.throwsAsync(mute.ask(question, { ...soon, signal: abort.signal }), {
      code: 'ASK_ABORTED',
    })
    await stage.settle()
    abort.abort(new Error('enough'))
    await asked
    t.is(system.main.timers.size, 0)
  },
  'an aborted signal sends nothing': async (t, stage) => {
    let asked = false
    const ref = stage.system().spawn(
      behavior<Question>(() => ({
        question: () => {
          asked = true
        },
      })),
    )
    await t.throwsAsync(ref.ask(question, { timeoutMs: 10, signal: AbortSignal.abort() }), {
      code: 'ASK_ABORTED',
    })
    await stage.settle()
    t.false(asked)
  },
  'an actor that asks itself gets an error that says so': async (t, stage) => {
    type Self = { readonly type: 'start' } | Question
    let asked: Promise<unknown> | undefined
    const ref = stage.system().spawn(
      behavior<Self>(context => ({
        start: () => {
          asked = t.throwsAsync(context.self.ask(question, soon), { code: 'ASK_SELF', message: /asked itself/ })
        },
        question: () => {},
      })),
    )
    ref.tell({ type: 'start' })
    await stage.settle()
    await asked
  },
  'asking an actor that stopped rejects at once': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter)
    system.stopActor(ref)
    await stage.settle()
    await t.throwsAsync(ref.ask(read, { timeoutMs: 60_000 }), { code: 'ACTOR_STOPPED' })
  },
  'asks that wait when the actor stops reject at once': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter)
    const until = gate()
    ref.tell({ type: 'hold', until: until.promise })
    const asked = t.throwsAsync(ref.ask(read, { timeoutMs: 60_000 }), { code: 'ACTOR_STOPPED' })
    await stage.settle()
    system.stopActor(ref)
    until.open()
    await stage.settle()
    await asked
  },
  'asking a full mailbox rejects at once': async (t, stage) => {
    const ref = stage.system().spawn(counter, { mailbox: { capacity: 1 } })
    ref.tell({ type: 'add', by: 1 })
    await t.throwsAsync(ref.ask(read, { timeoutMs: 60_000 }), { code: 'MAILBOX_FULL' })
  },
  'reject: a full mailbox refuses, says so, and counts it': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter, { mailbox: { capacity: 2 } })
    const told = [1, 2, 3].map(by => ref.tell({ type: 'add', by }))
    t.deepEqual(told, [true, true, false])
    t.is(ref.offer({ type: 'add', by: 4 }), 'mailbox-full')
    t.is(system.deadLetters.counts.get('mailbox-full'), 2)
    t.is(system.inspect().children[0]?.dropped, 2)
  },
  'drop-newest: a full mailbox keeps what it has': async (t, stage) => {
    const ref = stage.system().spawn(counter, { mailbox: { capacity: 2, overflow: 'drop-newest' } })
    for (const by of [1, 10, 100]) ref.tell({ type: 'add', by })
    t.is(ref.offer({ type: 'add', by: 1_000 }), 'dropped-newest')
    await stage.settle()
    const value = ref.ask(read, soon)
    await stage.settle()
    t.is(await value, 11)
  },
  'drop-oldest: a full mailbox makes room': async (t, stage) => {
    const ref = stage.system().spawn(counter, { mailbox: { capacity: 2, overflow: 'drop-oldest' } })
    for (const by of [1, 10]) ref.tell({ type: 'add', by })
    t.is(ref.offer({ type: 'add', by: 100 }), 'dropped-oldest')
    await stage.settle()
    const value = ref.ask(read, soon)
    await stage.settle()
    t.is(await value, 110)
  },
  'dropping the oldest fails the ask that it was': async (t, stage) => {
    const ref = stage.system().spawn(counter, { mailbox: { capacity: 1, overflow: 'drop-oldest' } })
    const asked = t.throwsAsync(ref.ask(read, soon), { code: 'MESSAGE_DROPPED' })
    ref.tell({ type: 'add', by: 1 })
    await asked
    await stage.settle()
  },
  'mailboxes are bounded by default': (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter)
    let accepted = 0
    while (accepted < 1_000_000 && ref.tell({ type: 'add', by: 1 })) accepted++
    t.is(accepted, 16_384)
  },
  'a timer reaches an actor whose mailbox is full': async (t, stage) => {
    type Ticked = { readonly type: 'tick' } | { readonly type: 'wait'; readonly until: Promise<void> }
    let ticked = 0
    const ref = stage.system().spawn(
      behavior<Ticked>(context => {
        context.timers.set('t', 2, { type: 'tick' })
        return {
          tick: () => {
            ticked++
          },
          wait: ({ until }) => until,
        }
      }),
      { mailbox: { capacity: 1 } },
    )
    const until = gate()
    ref.tell({ type: 'wait', until: until.promise })
    await stage.settle()
    ref.tell({ type: 'wait', until: Promise.resolve() })
    t.false(ref.tell({ type: 'wait', until: Promise.resolve() }))
    await stage.advance(6)
    until.open()
    await stage.settle()
    t.is(ticked, 1)
  },
  'what an actor leaves when it stops are dead letters': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter)
    ref.tell({ type: 'add', by: 1 })
    ref.tell({ type: 'add', by: 1 })
    system.stopActor(ref)
    t.false(ref.tell({ type: 'add', by: 1 }))
    t.is(ref.offer({ type: 'add', by: 1 }), 'stopped')
    t.is(system.deadLetters.counts.get('stopped'), 4)
  },
  'a subscription to dead letters ends': async (t, stage) => {
    const system = stage.system()
    const paths: string[] = []
    const ref = system.spawn(counter, { name: 'gone' })
    const end = system.deadLetters.subscribe(({ path }) => paths.push(path))
    system.stopActor(ref)
    ref.tell({ type: 'add', by: 1 })
    end()
    ref.tell({ type: 'add', by: 1 })
    t.deepEqual(paths, ['/gone'])
  },
  'a replyTo may be passed on': async (t, stage) => {
    const system = stage.system()
    const back = system.spawn(
      behavior<Question>(() => ({ question: ({ replyTo }) => void replyTo.tell('from behind') })),
    )
    const front = (to: Ref<Question>) => behavior<Question>(() => ({ question: message => void to.tell(message) }))
    const value = system.spawn(front(back)).ask(question, soon)
    await stage.settle()
    t.is(await value, 'from behind')
  },
  'ten thousand asks leave nothing behind': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(counter)
    for (let round = 0; round < 10; round++) {
      const asked = Array.from({ length: 1_000 }, () => ref.ask(read, soon))
      await stage.settle()
      await Promise.all(asked)
    }
    t.is(system.main.timers.size, 0)
  },
}
