/** A message: a plain read-only object that crosses a queue; `type` is the tag of its union. */
export interface Message {
  readonly type: string
}

/** The messages of a union that have the tag, also where one message has several. */
export type Tagged<M extends Message, Tag extends string> = M extends Message
  ? Tag extends M['type']
    ? M & { readonly type: Tag }
    : never
  : never

/**
 * One handler for each tag of the union: a missing or misspelt one is a compile error. A handler that returns a promise
 * suspends its actor until the promise settles, unless the behaviour is declared re-entrant.
 */
export type Handlers<M extends Message> = {
  readonly [Tag in M['type']]: (message: Tagged<M, Tag>) => void | PromiseLike<void>
}

/** @internal The key of a handler for every message without a handler of its own: routers and machines have one. */
export const anyMessage: unique symbol = Symbol('spimpl.anyMessage')
