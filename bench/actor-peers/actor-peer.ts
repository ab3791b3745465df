export type Subject = 'tell' | 'pingPong' | 'ask' | 'spawnStop' | 'fanIn' | 'ring' | 'idle'

/** What each peer does in its own way; every figure is nanoseconds for one operation, except `idle`. */
export interface ActorPeer {
  readonly peer: string
  /** Slow peers do a share of the operations: figures are for each. */
  readonly share: number
  /** Queue all messages to one actor, and wait until the last is handled. */
  tell?(messages: number): Promise<number>
  /** Two actors, one message on its way. For each message, of which a round has two. */
  pingPong?(messages: number): Promise<number>
  /** One question after the other. */
  ask?(questions: number): Promise<number>
  /** Start so many, then stop them all. For each actor. */
  spawnStop?(actors: number): Promise<number>
  /** A thousand actors tell one. */
  fanIn?(messages: number): Promise<number>
  /** A token goes around ten thousand actors. For each hop. */
  ring?(hops: number): Promise<number>
  /** Bytes for each of so many actors that have started and wait. */
  idle?(actors: number): Promise<number>
  close?(): Promise<void> | void
}

export const SENDERS = 1_000
export const RING_ACTORS = 10_000

/** Nanoseconds for each of `operations`. */
export async function timed(operations: number, run: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint()
  await run()
  return Number(process.hrtime.bigint() - start) / operations
}

/** Memory of the process that a garbage collection leaves. */
export async function settledBytes(): Promise<number> {
  for (let pass = 0; pass < 3; pass++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
