/** What is counted: each name with a sentence that says what one count means. */
export type CounterNames<Name extends string> = { readonly [K in Name]: string }

/**
 * Counts under a closed set of names, each with its meaning, for `inspect`, traces and metrics. Nothing that arrives from a network
 * becomes a name.
 *
 * @example
 * const counters = new Counters({ packetsReceived: 'datagrams that arrived', packetsMalformed: 'refused by the parser' })
 * counters.add('packetsReceived')
 */
export class Counters<Name extends string> {
  readonly names: CounterNames<Name>
  readonly #counts: Record<Name, number>

  constructor(names: CounterNames<Name>) {
    this.names = names
    this.#counts = Object.fromEntries(Object.keys(names).map(name => [name, 0])) as Record<Name, number>
  }

  add(name: Name, by = 1): void {
    this.#counts[name] += by
  }

  get(name: Name): number {
    return this.#counts[name]
  }

  /** A copy, in the order of the names. */
  snapshot(): Readonly<Record<Name, number>> {
    return { ...this.#counts }
  }
}
