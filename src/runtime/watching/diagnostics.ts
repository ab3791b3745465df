import { type Channel, channel } from 'node:diagnostics_channel'

/** What node's `diagnostics_channel` publishes of the life of actors. */
export interface ActorEvent {
  readonly system: string
  readonly path: string
  readonly atMs: number
  readonly error?: unknown
}

/** The channels, by what they tell of. They cost one comparison when nobody listens. */
export const diagnostics: Readonly<Record<'started' | 'stopped' | 'failed' | 'restarted' | 'deadLetter', Channel>> = {
  started: channel('spimpl:actor:started'),
  stopped: channel('spimpl:actor:stopped'),
  failed: channel('spimpl:actor:failed'),
  restarted: channel('spimpl:actor:restarted'),
  deadLetter: channel('spimpl:message:dead-letter'),
}
