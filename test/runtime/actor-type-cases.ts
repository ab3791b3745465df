import { type Behavior, behavior, type Ref, type ReplyTo, type System } from 'spimpl-runtime'

/** Cases that must not compile: a line marked below that compiles is an error of the build. */

export type Counter =
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }

export const good: Behavior<Counter> = behavior<Counter>(() => ({
  add: () => {},
  read: ({ replyTo }) => void replyTo.tell(1),
}))

// @ts-expect-error a handler is missing
export const missing = behavior<Counter>(() => ({ add: () => {} }))

// @ts-expect-error a handler is misspelt
export const misspelt = behavior<Counter>(() => ({ add: () => {}, raed: () => {} }))

export const wrongMessage = behavior<Counter>(() => ({
  // @ts-expect-error a handler takes the wrong message
  add: (message: { readonly by: string }) => message,
  read: () => {},
}))

export const wrongField = behavior<Counter>(() => ({
  // @ts-expect-error the message has no such field
  add: ({ amount }) => void amount,
  read: () => {},
}))

export const wrongAnswer = behavior<Counter>(() => ({
  add: () => {},
  // @ts-expect-error the answer is a number
  read: ({ replyTo }) => void replyTo.tell('one'),
}))

export function wrongTells(ref: Ref<Counter>): void {
  // @ts-expect-error no such tag
  ref.tell({ type: 'remove', by: 1 })
  // @ts-expect-error a field is missing
  ref.tell({ type: 'add' })
  // @ts-expect-error a field has the wrong type
  ref.tell({ type: 'add', by: 'one' })
  // @ts-expect-error an ask needs a deadline
  void ref.ask<number>(replyTo => ({ type: 'read', replyTo }))
  // @ts-expect-error the question expects a number
  void ref.ask<string>(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 1 })
}

export function wrongSpawns(system: System): void {
  // @ts-expect-error no such restart kind
  system.spawn(good, { restart: 'always' })
  // @ts-expect-error no such overflow policy
  system.spawn(good, { mailbox: { overflow: 'block' } })
  // @ts-expect-error a reference to another actor
  const other: Ref<{ readonly type: 'other' }> = system.spawn(good)
  void other
}

export const wrongWatch = behavior<Counter>(context => {
  // @ts-expect-error the notice must be a message of this actor
  context.watch(context.self, { type: 'gone' })
  // @ts-expect-error so must the message of a timer
  context.timers.set('t', 1, { type: 'tick' })
  return { add: () => {}, read: () => {} }
})

export const wrongStrategy = behavior<Counter>(() => ({ add: () => {}, read: () => {} }), {
  // @ts-expect-error no such strategy
  supervision: { strategy: 'all' },
})

type Switch = { readonly type: 'on' | 'off'; readonly by: string } | { readonly type: 'toggle' }

/** A message may have several tags. */
export const severalTags: Behavior<Switch> = behavior<Switch>(() => ({
  on: ({ type }) => void (type satisfies 'on'),
  off: ({ by }) => void by.length,
  // @ts-expect-error this one has no such field
  toggle: ({ by }) => void by,
}))
