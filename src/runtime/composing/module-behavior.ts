import type { Behavior } from '../actors/actor.ts'
import type { Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { Ref, ReplyTo } from '../references/actor-ref.ts'

/** Only for the compiler: marks a behaviour that a module makes of an input. */
declare const inputOfModule: unique symbol

/** What a module makes of an input. */
export interface MadeOfInput<I> {
  readonly [inputOfModule]: (input: I) => void
}

/** A behaviour as a module makes it. */
export interface ModuleMade<M extends Message, I> extends Behavior<M>, MadeOfInput<I> {}

/**
 * A behaviour that any thread can make: an export of a module, a behaviour or a function of an input that returns one.
 */
export interface ModuleBehavior<B> {
  /** URL of the module. */
  readonly module: string | URL
  /** Name of the export. */
  readonly name: string
  /** Only for the compiler. */
  readonly made?: B
}

type Carried = Ref<never> | ReplyTo<never> | ArrayBufferView | ArrayBuffer | Date | RegExp | Error

/**
 * What may cross to another thread: plain data, buffers, maps, sets, dates, errors, references and reply addresses; no
 * function and no symbol.
 */
export type Cloneable<T> = T extends Carried | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
  ? T
  : T extends symbol | ((...args: never) => unknown)
    ? never
    : T extends object
      ? { readonly [K in keyof T]: Cloneable<T[K]> }
      : T

/** A module takes only an input that can cross to another thread. */
export type IfCloneable<I> = [I] extends [Cloneable<I>]
  ? unknown
  : { readonly refused: 'expected an input of plain data and references' }

/**
 * Names a behaviour by its module and export, so that a row with it can be placed on a lane: another thread imports the
 * module and gives the export the row's `input`.
 *
 * @example
 * const hashing = composition('hashing').with('hasher', {
 *   behavior: fromModule<Hash>({ module: new URL('./hasher.js', import.meta.url), name: 'hasher' }),
 *   lane: 'hashing',
 * })
 */
export function fromModule<M extends Message, I = undefined>(
  where: Pick<ModuleBehavior<never>, 'module' | 'name'> & IfCloneable<I>,
): ModuleBehavior<ModuleMade<M, I>> {
  const { module, name } = where
  if (!URL.canParse(String(module)) || typeof name !== 'string' || name === '') {
    throw new SpimplError(
      'CONFIG_INVALID',
      `expected the URL of a module and the name of an export, got ${String(module)} and ${String(name)}`,
    )
  }
  return Object.freeze({ module: String(module), name })
}
