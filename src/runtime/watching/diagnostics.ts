import { type Channel, channel } from 'node:diagnostics_channel'

/** An event in the life of an actor, as Node's `diagnostics_channel` publishes it. */
export interface ActorEvent {
  readonly system: string
  readonly path: string
  readonly atMs: number
  readonly error?: unknown
}

/** The channels by event. Without a listener a channel costs one comparison. */
export const diagnostics: Readonly<Record<'started' | 'stopped' | 'failed' | 'restarted' | 'deadLetter', Channel>> = {
  started: channel('spimpl:actor:started'),
  stopped: channel('spimpl:actor:stopped'),
  failed: channel('spimpl:actor:failed'),
  restarted: channel('spimpl:actor:restarted'),
  deadLetter: channel('spimpl:message:dead-letter'),
}
