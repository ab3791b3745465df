import type { Behavior } from '../actors/actor.ts'
import type { Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { LaneBehavior } from './lane.ts'

/** What an export of a module makes of an input, once the module is loaded. */
export type MakeBehavior = (input: unknown) => Behavior<Message>

/**
 * Loads a module and finds the export.
 * @throws SpimplError `ACTOR_FAILED` where it makes no behaviour
 */
export async function loadBehavior({
  module,
  name,
}: Pick<LaneBehavior<never>, 'module' | 'name'>): Promise<MakeBehavior> {
  const loaded = (await import(String(module))) as Record<string, unknown>
  const value = loaded[name]
  return input => {
    const made = typeof value === 'function' ? (value as (input: unknown) => unknown)(input) : value
    if (typeof made === 'object' && made !== null && 'setup' in made) return made as Behavior<Message>
    throw new SpimplError('ACTOR_FAILED', `expected ${name} of ${module} to be a behaviour or to return one`)
  }
}
