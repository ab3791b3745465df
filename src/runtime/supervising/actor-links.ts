import type { ActorCell } from '../actors/actor-cell.ts'
import { SpimplError } from '../errors.ts'

/**
 * Actors whose failure is the failure of one actor too. It keeps apart the links that this life of the actor made and those that others
 * made to it: a restart undoes the former only.
 */
export class ActorLinks {
  readonly #cell: ActorCell
  #made: Set<ActorCell> | undefined = undefined
  #taken: Set<ActorCell> | undefined = undefined

  constructor(cell: ActorCell) {
    this.#cell = cell
  }

  add(other: ActorCell): void {
    this.#made ??= new Set()
    this.#made.add(other)
    const { links } = other.lifecycle
    links.#taken ??= new Set()
    links.#taken.add(this.#cell)
  }

  remove(other: ActorCell): void {
    const { links } = other.lifecycle
    this.#made?.delete(other)
    this.#taken?.delete(other)
    links.#made?.delete(this.#cell)
    links.#taken?.delete(this.#cell)
  }

  /** The actor has failed: so have those that are linked to it. */
  fail(error: unknown): void {
    const linked = new Set([...(this.#made ?? []), ...(this.#taken ?? [])])
    for (const other of linked) this.remove(other)
    for (const other of linked) {
      if (other.lifecycle.takesChildren) other.lifecycle.fail(linkedFailure(this.#cell, error))
    }
  }

  /** This life of the actor is over. */
  endLife(): void {
    for (const other of this.#made ?? []) other.lifecycle.links.#taken?.delete(this.#cell)
    this.#made = undefined
  }

  /** The actor has come to its end. */
  end(): void {
    for (const other of this.#taken ?? []) other.lifecycle.links.#made?.delete(this.#cell)
    this.#taken = undefined
  }
}

/** What an actor fails with when one to which it is linked has failed. */
export function linkedFailure(cell: ActorCell, cause: unknown): SpimplError {
  return new SpimplError('ACTOR_FAILED', `${cell.path}, to which this actor is linked, has failed`, { cause })
}
