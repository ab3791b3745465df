import { type Behavior, behavior, type Message, type Ref, type ReplyTo, type System } from 'spimpl-runtime'

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
  // @ts-expect-error nobody answers `add`
  void ref.ask(replyTo => ({ type: 'add', by: 1, replyTo }), { timeoutMs: 1 })
  // @ts-expect-error an ask needs a deadline
  void ref.ask(replyTo => ({ type: 'read', replyTo }))
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

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(equal: Equal<A, B>): boolean => equal

type Add = Extract<Counter, { readonly type: 'add' }>
type AddOrReset = Add | { readonly type: 'reset' }

/** A reference is contravariant: it serves where fewer messages are sent, never where more are. */
export function references(system: System, onlyAdds: Behavior<Add>, counter: Ref<Counter>): void {
  const fewer: Ref<Add> = counter
  const none: Ref<never> = counter
  // @ts-expect-error the actor has no handler for `reset`
  const spawned: Ref<AddOrReset> = system.spawn(onlyAdds)
  // @ts-expect-error nor for `read`
  const more: Ref<Counter> = fewer
  // @ts-expect-error nor for whatever else there is
  const any: Ref<Message> = counter
  void [none, spawned, more, any]
}

/** So is the address of an answer: it takes fewer answers, never more. */
export function addresses(either: ReplyTo<number | string>, text: ReplyTo<string>, number: ReplyTo<number>): void {
  const fewer: ReplyTo<string> = either
  const nothing: ReplyTo<never> = either
  // @ts-expect-error it takes texts only
  const more: ReplyTo<number | string> = text
  // @ts-expect-error it takes numbers only
  const other: ReplyTo<string> = number
  void [fewer, nothing, more, other]
}

type Asked =
  | Counter
  | { readonly type: 'name'; readonly of: number; readonly list: number[]; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'find'; readonly by: 'key'; readonly replyTo: ReplyTo<Uint8Array | undefined> }
  | { readonly type: 'find'; readonly by: 'size'; readonly replyTo: ReplyTo<readonly number[]> }
  | { readonly type: 'flush' | 'close'; readonly replyTo: ReplyTo<void> }
  | { readonly type: 'poke'; readonly replyTo?: ReplyTo<boolean> }

/** An answer has the type that the message which is built expects, among all that expect one. */
export async function answers(ref: Ref<Asked>, tag: 'flush' | 'close', either: 'read' | 'name'): Promise<void> {
  const soon = { timeoutMs: 1 }
  const read = await ref.ask(replyTo => ({ type: 'read', replyTo }), soon)
  same<typeof read, number>(true)
  const name = await ref.ask(replyTo => ({ type: 'name', of: 1, list: [1], replyTo }), soon)
  same<typeof name, string>(true)
  const found = await ref.ask(replyTo => ({ type: 'find', by: 'key', replyTo }), soon)
  same<typeof found, Uint8Array | undefined>(true)
  const sizes = await ref.ask(replyTo => ({ type: 'find', by: 'size', replyTo }), soon)
  same<typeof sizes, readonly number[]>(true)
  const done = await ref.ask(replyTo => ({ type: tag, replyTo }), soon)
  same<typeof done, void>(true)
  const poked = await ref.ask(replyTo => ({ type: 'poke', replyTo }), soon)
  same<typeof poked, boolean>(true)
  const one = await ref.ask(replyTo => (tag === 'flush' ? { type: 'read', replyTo } : { type: 'poke', replyTo }), soon)
  same<typeof one, number | boolean>(true)
  const built = await ref.ask(replyTo => {
    const message = { type: 'read', replyTo } as const
    return message
  }, soon)
  same<typeof built, number>(true)
  const make = (replyTo: ReplyTo<number>) => ({ type: 'read', replyTo }) as const
  const made = await ref.ask(make, soon)
  same<typeof made, number>(true)
  // Of a tag that the compiler does not know, any answer to the union.
  const unknown = await ref.ask(replyTo => ({ type: either, of: 1, list: [], replyTo }), soon)
  same<typeof unknown, Awaited<typeof read | typeof name | typeof found | typeof sizes | typeof done | typeof poked>>(
    true,
  )
}

export async function wrongAsks(
  ref: Ref<Asked>,
  text: ReplyTo<string>,
  either: ReplyTo<number | string>,
): Promise<void> {
  const soon = { timeoutMs: 1 }
  // @ts-expect-error the answer is a number
  const wrong: string = await ref.ask(replyTo => ({ type: 'read', replyTo }), soon)
  void ref.ask(() => ({ type: 'read', replyTo: either }), soon)
  // @ts-expect-error the answer would be given to somebody who expects a text
  void ref.ask(() => ({ type: 'read', replyTo: text }), soon)
  // @ts-expect-error nothing would be answered
  void ref.ask(() => ({ type: 'add', by: 1 }), soon)
  // @ts-expect-error no such tag
  void ref.ask(replyTo => ({ type: 'write', replyTo }), soon)
  // @ts-expect-error a field is missing
  void ref.ask(replyTo => ({ type: 'name', list: [], replyTo }), soon)
  // @ts-expect-error a field has the wrong type
  void ref.ask(replyTo => ({ type: 'name', of: 'one', list: [], replyTo }), soon)
  void wrong
}

export function generic<T>(ref: Ref<{ readonly type: 'get'; readonly replyTo: ReplyTo<T> }>): Promise<T> {
  return ref.ask(replyTo => ({ type: 'get', replyTo }), { timeoutMs: 1 })
}
