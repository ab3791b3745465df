import { anyMessage, type Message } from './message.ts'
import { SYSTEM_TAG } from './system-message.ts'

export type Handler = (message: Message) => void | PromiseLike<void>

/** The handlers of an actor by tag, as `setup` or `become` returned them. */
export type HandlerTable = Readonly<Record<string, Handler>>

/**
 * The handler of a tag, or the one for every message; never a method of `Object.prototype`, which every table inherits.
 */
export function handlerOf(table: HandlerTable, tag: string): Handler | undefined {
  const handler = table[tag]
  if (typeof handler === 'function' && handler !== (Object.prototype as Record<string, unknown>)[tag]) return handler
  if (typeof tag !== 'string' || tag === SYSTEM_TAG) return undefined
  return (table as { readonly [anyMessage]?: Handler })[anyMessage]
}
