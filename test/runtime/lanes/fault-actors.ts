/** Actors on lanes that fail, lag, watch and ask others. */
import { type Behavior, behavior, type Ref, type ReplyTo, type System, type Terminated } from 'spimpl-runtime'

export type Leaf =
  | { readonly type: 'name'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'mute'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'leave' }

export type Gate = { readonly type: 'pass'; readonly replyTo: ReplyTo<number> }
export type Report = { readonly type: 'report'; readonly notice: Terminated }

export type Worker =
  | { readonly type: 'note'; readonly n: number; readonly to: Ref<Note> }
  | { readonly type: 'crash' }
  | {
      readonly type: 'odd'
      readonly what: Odd
      readonly how: 'throw' | 'fail' | 'tell'
      readonly replyTo: ReplyTo<unknown>
    }
  | { readonly type: 'lane'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'die' }
  | { readonly type: 'mute'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'grow'; readonly name: string; readonly replyTo: ReplyTo<Ref<Leaf>> }
  | { readonly type: 'ask'; readonly whom: Ref<Leaf> | Ref<Worker>; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'watch'; readonly whom: Ref<Leaf>; readonly to: Ref<Report>; readonly replyTo: ReplyTo<boolean> }
  | { readonly type: 'ended'; readonly notice: Terminated; readonly to: Ref<Report> }
  | { readonly type: 'echo'; readonly value: unknown; readonly replyTo: ReplyTo<unknown> }

export type Note = { readonly type: 'noted'; readonly n: number }

export const leaf: Behavior<Leaf> = behavior<Leaf>(context => ({
  name: ({ replyTo }) => void replyTo.tell(context.path.split('/').at(-1)!),
  mute: () => {},
  leave: () => context.stop(),
}))

const circle = new Error('circle')
circle.cause = circle

/** What somebody may throw, and what no other lane can be sent. */
const odd = {
  function: () => {},
  'object with one': { on: () => {} },
  'object without prototype': Object.assign(Object.create(null), { on: () => {} }),
  symbol: Symbol('odd'),
  circle,
  'error of another kind': Object.assign(new Error(), { message: { on: () => {} } }),
} as const

export type Odd = keyof typeof odd

export const worker = behavior<Worker>(context => {
  context.describe(() => ({ does: () => 'anything' }))
  return {
    note: ({ n, to }) => void to.tell({ type: 'noted', n }),
    crash: () => {
      throw new RangeError('crashed on its lane')
    },
    odd: ({ what, how, replyTo }) => {
      if (how === 'fail') replyTo.fail(odd[what] as Error)
      else if (how === 'tell') replyTo.tell(odd[what])
      else throw odd[what]
    },
    lane: () => void (context.system as System).lane(),
    die: () => process.exit(3),
    mute: () => {},
    grow: ({ name, replyTo }) => void replyTo.tell(context.spawn(leaf, { name })),
    ask: ({ whom, replyTo }) => {
      // Sent on: the answer, or why there is none, is another message.
      ;(whom as Ref<Leaf>)
        .ask(inner => ({ type: 'mute', replyTo: inner }), { timeoutMs: 60_000 })
        .catch((error: { readonly code: string }) => error.code)
        .then(answer => replyTo.tell(answer))
    },
    watch: ({ whom, to, replyTo }) => {
      context.watch(whom, notice => ({ type: 'ended', notice, to }))
      replyTo.tell(true)
    },
    ended: ({ notice, to }) => void to.tell({ type: 'report', notice }),
    echo: ({ value, replyTo }) => void replyTo.tell(value),
  }
})

/** Handles nothing while the gate is closed. */
export function slow(gate: Ref<Gate>): Behavior<Note> {
  return behavior<Note>(() => ({
    noted: async () => {
      await gate.ask(replyTo => ({ type: 'pass', replyTo }), { timeoutMs: 60_000 })
    },
  }))
}
