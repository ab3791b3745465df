import { SpimplError } from '../errors.ts'

/** An actor with links. */
export interface Linked {
  readonly path: string
  /** It has neither failed nor stopped. */
  readonly isLinkable: boolean
  /** How it failed, if it did. */
  readonly failure: { readonly error: unknown } | undefined
  fail(error: SpimplError): void
  /** Fails this actor because another one failed, unless it has failed or stops already. */
  failLinked(error: SpimplError): void
}

/**
 * The links of one actor: the failure of either side is the failure of the other. A failure uses up the links of its
 * actor.
 */
export class Links {
  readonly #actor: Linked
  /** Links that this life of the actor made: its restart undoes them. */
  readonly #made = new Set<Links>()
  /** Links that other actors made to it: they outlive its restart. */
  readonly #received = new Set<Links>()

  constructor(actor: Linked) {
    this.#actor = actor
  }

  /** From now on the failure of one is the failure of the other; at once if the other has failed already. */
  add(other: Links): void {
    if (other === this) return
    if (!other.#actor.isLinkable) {
      const { path, failure } = other.#actor
      if (failure !== undefined) this.#actor.fail(linkedFailure(path, failure.error))
      return
    }
    this.#made.add(other)
    other.#received.add(this)
  }

  remove(other: Links): void {
    this.#made.delete(other)
    this.#received.delete(other)
    other.#made.delete(this)
    other.#received.delete(this)
  }

  /** The actor has failed with `error`. */
  fail(error: unknown): void {
    const others = new Set([...this.#made, ...this.#received])
    for (const other of others) this.remove(other)
    for (const other of others) other.#actor.failLinked(linkedFailure(this.#actor.path, error))
  }

  /** This life of the actor is over. */
  endLife(): void {
    for (const other of this.#made) other.#received.delete(this)
    this.#made.clear()
  }

  /** The actor has ended for good. */
  end(): void {
    this.endLife()
    for (const other of this.#received) other.#made.delete(this)
    this.#received.clear()
  }
}

/** The failure of an actor that is linked to the failed one at `path`. */
function linkedFailure(path: string, cause: unknown): SpimplError {
  return new SpimplError('ACTOR_FAILED', `${path}, to which this actor is linked, has failed`, { cause })
}
