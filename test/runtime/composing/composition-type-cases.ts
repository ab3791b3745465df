import { type Behavior, behavior, composition, fromModule, type Ref, type ReplyTo } from 'spimpl-runtime'

/** Cases that must not compile: a line marked below that compiles is an error of the build. */

type Read = { readonly type: 'read'; readonly replyTo: ReplyTo<number> }
type Store = Read | { readonly type: 'write'; readonly value: number }

const reader: Behavior<Read> = behavior<Read>(() => ({ read: ({ replyTo }) => void replyTo.tell(0) }))
const store: Behavior<Store> = behavior<Store>(() => ({
  read: ({ replyTo }) => void replyTo.tell(0),
  write: () => {},
}))
const user = (options: { readonly store: Ref<Store>; readonly atStart: number }): Behavior<{ type: 'use' }> =>
  behavior<{ type: 'use' }>(() => ({ use: () => void options.store.tell({ type: 'write', value: options.atStart }) }))

const relay = (to: Ref<Read>): Behavior<Read> => behavior<Read>(() => ({ read: message => void to.tell(message) }))

const where = { module: new URL('./row-modules.js', import.meta.url), name: 'mirror' }

export const good = composition('shop')
  .supervisor('below', { strategy: 'rest-for-one', phase: 'last' })
  .with('store', {
    behavior: () => store,
    ready: (ref, within) => ref.ask(replyTo => ({ type: 'read', replyTo }), within),
  })
  .with('mirror', {
    needs: ['store'],
    behavior: fromModule<Read, { readonly store: Ref<Store> }>(where),
    input: ({ store }) => ({ store }),
    lane: 'mirrors',
  })
  .supervisor('above')
  .with('user', { needs: ['store'], behavior: ({ store }, started) => user({ store, atStart: started.store }) })

/** What compiles, and the types that come of it. */
export function use({ refs, started }: Awaited<ReturnType<typeof good.start>>): number {
  refs.store.tell({ type: 'write', value: 1 })
  refs.user.tell({ type: 'use' })
  const atStart: number = started.store
  const none: undefined = started.user
  return none ?? atStart
}
export const wider = good.replace('mirror', { behavior: () => store })
export const later = good.with('clerk', {
  under: 'below',
  needs: ['mirror'],
  behavior: ({ mirror }) => relay(mirror),
})
export const smaller = good.without('user').without('mirror').without('store')
export const data = fromModule<
  Read,
  {
    readonly sizes: ReadonlyMap<string, bigint>
    readonly key: Uint8Array | undefined
    readonly names: readonly string[]
  }
>(where)
export const placed = good.place('mirror', 'main')

// @ts-expect-error a row needs one that does not exist
good.with('clerk', { needs: ['till'], behavior: () => reader })

// @ts-expect-error a row needs one below it
good.with('clerk', { under: 'below', needs: ['user'], behavior: () => reader })

// @ts-expect-error a row uses one that it does not need
good.with('clerk', { behavior: ({ store }) => user({ store, atStart: 0 }) })

// @ts-expect-error a row uses what the start of another yielded, which it does not need
good.with('clerk', { needs: ['mirror'], behavior: (_, { store }) => user({ store, atStart: store }) })

// @ts-expect-error the name of a row is taken
good.with('store', { behavior: () => store })

// @ts-expect-error the name of a supervisor is taken
good.supervisor('below')

// @ts-expect-error no such supervisor
good.with('clerk', { under: 'beside', behavior: () => reader })

// @ts-expect-error no such strategy
good.supervisor('beside', { strategy: 'all' })

// @ts-expect-error a row that another one needs is left out
good.without('store')

// @ts-expect-error a row that does not exist is left out
good.without('till')

// @ts-expect-error the new row does not accept all messages of the old one
good.replace('store', { behavior: () => reader, ready: () => 1 })

// @ts-expect-error the start of the new row yields something else
good.replace('store', { behavior: () => store, ready: () => 'one' })

// @ts-expect-error the new row needs one below it
good.replace('store', { needs: ['mirror'], behavior: () => store, ready: () => 1 })

// @ts-expect-error the new row needs itself
good.replace('store', { needs: ['store'], behavior: () => store, ready: () => 1 })

// @ts-expect-error no module makes this row, so no other thread can
good.place('store', 'mirrors')

// @ts-expect-error the same, where the row is declared
good.with('clerk', { behavior: () => reader, lane: 'clerks' })

// @ts-expect-error the module takes another input
good.with('second', { behavior: fromModule<Read, { readonly store: Ref<Store> }>(where), input: () => ({ store: 1 }) })

// @ts-expect-error the module takes an input
good.with('second', { behavior: fromModule<Read, { readonly store: Ref<Store> }>(where) })

// @ts-expect-error a function cannot cross to another thread
fromModule<Read, { readonly open: () => void }>(where)

// @ts-expect-error nor can one inside of a list
fromModule<Read, { readonly doors: readonly { readonly open: () => void }[] }>(where)

// @ts-expect-error the rule of completion sends what the row does not handle
good.with('clerk', { behavior: () => reader, ready: ref => ref.tell({ type: 'write', value: 1 }) })

// @ts-expect-error the phases of a composition are those of its supervisors
void good.start({ phases: [] })

// @ts-expect-error no such reference
void good.start().then(({ refs }) => refs.till)

// @ts-expect-error a reference to other messages
void good.start().then(({ refs }) => refs.mirror.tell({ type: 'write', value: 1 }))
