import type { NodeRecord } from '../../identity/node-record.ts'
import type { Source } from './retrievals.ts'

interface UntriedSource extends Source {
  /** The peer stops listening for its connection id then. */
  readonly expiresAt: number
}

/** The sources of one content lookup that have not been tried yet. */
export class Sources {
  #untried: UntriedSource[] = []

  get isEmpty(): boolean {
    return this.#untried.length === 0
  }

  add(source: Source, expiresAt: number): void {
    this.#untried.push({ ...source, expiresAt })
  }

  /** The source to try next: one whose content is inside its answer before any that needs a stream. */
  get next(): Source | undefined {
    return this.#untried.find(source => source.answer.kind === 'inline') ?? this.#untried[0]
  }

  remove(source: Source): void {
    this.#untried = this.#untried.filter(each => each !== source)
  }

  /** Takes out the sources whose connection id is too old. */
  takeExpired(now: number): NodeRecord[] {
    const isExpired = ({ answer, expiresAt }: UntriedSource): boolean =>
      answer.kind === 'connection-id' && expiresAt <= now
    const expired = this.#untried.filter(isExpired)
    if (expired.length > 0) this.#untried = this.#untried.filter(source => !isExpired(source))
    return expired.map(source => source.node)
  }

  takeAll(): Source[] {
    const untried = this.#untried
    this.#untried = []
    return untried
  }
}
