import { compareDistance, logDistance, MAX_DISTANCE } from '../../identity/distances.ts'

/** Distances that one query of a lookup asks for (discv5-theory.md, Lookup). */
const DISTANCES_PER_QUERY = 3

/** What a lookup needs of a node. `NodeRecord` of src/identity has this shape. */
export interface LookupNode {
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly nodeIdHex: string
}

export interface LookupOptions<Node extends LookupNode> {
  /** 32 bytes. */
  readonly target: Uint8Array
  /** Our own node, which is never queried and never a result. */
  readonly localIdHex: string
  /** The nodes that the lookup starts from: the closest ones in the table. */
  readonly seeds: readonly Node[]
  /** How many nodes are wanted, and how many must have answered before the lookup ends. Default: 16. */
  readonly k?: number
  /** Queries in flight. Default: 3. */
  readonly alpha?: number
  /** Candidates that are remembered; the furthest is dropped. Default: 10 times k. */
  readonly maxCandidates?: number
  /** Queries of one lookup. Default: 4 times k. */
  readonly maxQueries?: number
}

/** What has become of a candidate. */
export type CandidateState = 'new' | 'asked' | 'answered' | 'failed'

/** A node that a lookup has heard of. */
export interface Candidate<Node extends LookupNode> {
  readonly node: Node
  state: CandidateState
}

/**
 * An iterative lookup (discv5-theory.md, Lookup): it queries the closest nodes that it has heard of, `alpha` at a time,
 * until the `k` closest have all answered. It does no I/O: its owner queries the nodes that `next()` returns and
 * reports each outcome.
 *
 * @example
 * const lookup = new Lookup({ target, localIdHex, seeds: table.closest(target, 16).map(entry => entry.record) })
 * for (const node of lookup.next()) askFor(node, distancesTowards(target, node.nodeId))
 * lookup.answered(node.nodeIdHex, records)     // or lookup.failed(node.nodeIdHex); then next() again
 * if (lookup.done) use(lookup.closest())
 */
export class Lookup<Node extends LookupNode> {
  readonly target: Uint8Array
  readonly #localIdHex: string
  readonly #k: number
  readonly #alpha: number
  readonly #maxCandidates: number
  readonly #maxQueries: number
  /** Sorted by distance to the target, the closest first. */
  readonly #candidates: Candidate<Node>[] = []
  /** All nodes ever heard of, so that none is queried twice; bounded by what `maxQueries` answers may contain. */
  readonly #known = new Map<string, Candidate<Node>>()
  #inFlight = 0
  #queries = 0
  #finished = false

  constructor(options: LookupOptions<Node>) {
    this.target = options.target
    this.#localIdHex = options.localIdHex
    this.#k = options.k ?? 16
    this.#alpha = options.alpha ?? 3
    this.#maxCandidates = options.maxCandidates ?? 10 * this.#k
    this.#maxQueries = options.maxQueries ?? 4 * this.#k
    for (const node of options.seeds) this.add(node)
  }

  /** Queries that have neither been answered nor failed. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Queries so far. */
  get queries(): number {
    return this.#queries
  }

  /** Whether no query is in flight and no node is left to query. */
  get done(): boolean {
    return this.#finished || (this.#inFlight === 0 && this.#nextCandidate() === undefined)
  }

  /** Adds a candidate. @returns whether it was new and close enough */
  add(node: Node): boolean {
    if (node.nodeIdHex === this.#localIdHex || this.#known.has(node.nodeIdHex)) return false
    const candidate: Candidate<Node> = { node, state: 'new' }
    const at = this.#position(node)
    if (at >= this.#maxCandidates) return false
    this.#known.set(node.nodeIdHex, candidate)
    this.#candidates.splice(at, 0, candidate)
    if (this.#candidates.length > this.#maxCandidates) this.#dropFurthest()
    return true
  }

  /** The nodes to query now, as many as `alpha` leaves room for. They count as asked. */
  next(): Node[] {
    const asked: Node[] = []
    while (this.#inFlight < this.#alpha) {
      const candidate = this.#nextCandidate()
      if (candidate === undefined) break
      candidate.state = 'asked'
      this.#inFlight++
      this.#queries++
      asked.push(candidate.node)
    }
    return asked
  }

  /** A node answered with nodes that it knows. @returns those that were new */
  answered(nodeIdHex: string, found: readonly Node[]): Node[] {
    if (!this.#settle(nodeIdHex, 'answered')) return []
    return found.filter(node => this.add(node))
  }

  /** A node did not answer, or could not be queried. */
  failed(nodeIdHex: string): void {
    this.#settle(nodeIdHex, 'failed')
  }

  /** Ends the lookup early: its goal is reached, or its caller is gone. No further node is queried. */
  finish(): void {
    this.#finished = true
  }

  /** The closest nodes that answered: at most k, the closest first. */
  closest(): Node[] {
    const found: Node[] = []
    for (const candidate of this.#candidates) {
      if (candidate.state === 'answered' && found.push(candidate.node) === this.#k) break
    }
    return found
  }

  /** The closest nodes that have not failed, queried or not: at most `count`, the closest first. */
  closestKnown(count = this.#k): Node[] {
    const found: Node[] = []
    for (const candidate of this.#candidates) {
      if (candidate.state !== 'failed' && found.push(candidate.node) >= count) break
    }
    return found
  }

  /** All remembered candidates, the closest first, for traces. */
  candidates(): readonly Readonly<Candidate<Node>>[] {
    return this.#candidates
  }

  state(nodeIdHex: string): CandidateState | undefined {
    return this.#known.get(nodeIdHex)?.state
  }

  /** The closest new node among the k closest that have not failed. */
  #nextCandidate(): Candidate<Node> | undefined {
    if (this.#finished || this.#queries >= this.#maxQueries) return undefined
    let alive = 0
    for (const candidate of this.#candidates) {
      if (candidate.state === 'new') return candidate
      if (candidate.state !== 'failed' && ++alive >= this.#k) return undefined
    }
    return undefined
  }

  #settle(nodeIdHex: string, state: 'answered' | 'failed'): boolean {
    const candidate = this.#known.get(nodeIdHex)
    if (candidate?.state !== 'asked') return false
    candidate.state = state
    this.#inFlight--
    return true
  }

  /** The index of the first candidate that is further from the target than `node`. */
  #position(node: Node): number {
    let low = 0
    let high = this.#candidates.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareDistance(this.target, this.#candidates[middle]!.node.nodeId, node.nodeId) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Forgets the furthest node without a query in flight, so that the list stays bounded. */
  #dropFurthest(): void {
    for (let at = this.#candidates.length - 1; at >= 0; at--) {
      const candidate = this.#candidates[at]!
      if (candidate.state === 'asked') continue
      this.#candidates.splice(at, 1)
      if (candidate.state === 'new') this.#known.delete(candidate.node.nodeIdHex)
      return
    }
  }
}

/**
 * The distances to ask the node with `nodeId` for: the log distance of the target from it, then the neighbouring ones,
 * above before below. 0 is the node itself and is asked for only if the node is the target. Both ids have 32 bytes.
 */
export function distancesTowards(target: Uint8Array, nodeId: Uint8Array): number[] {
  const distance = logDistance(target, nodeId)
  const distances = [distance]
  for (let step = 1; distances.length < DISTANCES_PER_QUERY; step++) {
    if (distance + step <= MAX_DISTANCE) distances.push(distance + step)
    if (distances.length < DISTANCES_PER_QUERY && distance - step > 0) distances.push(distance - step)
  }
  return distances
}
