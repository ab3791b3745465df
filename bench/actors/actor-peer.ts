import type { Contender } from '../measurement.ts'

/** What every peer is asked to do. Where it cannot, the subject is left out and a note says why. */
export const subjects = {
  /** One actor is told `operations` messages, which wait before the first is handled; done when the last was. */
  tell: 'tell',
  /** Two actors send one message to and fro, `operations` times in all. */
  pingPong: 'ping-pong',
  /** A question and its answer, one after the other, each with a deadline. */
  ask: 'ask',
  /** Actors are started, have run their setup, and are stopped. */
  spawn: 'spawn and stop',
  /** 1,000 actors send to one. */
  fanIn: 'fan-in from 1,000',
  /** One message goes round 10,000 actors. */
  ring: 'ring of 10,000',
} as const
export type Subject = keyof typeof subjects

export const FAN_IN_SENDERS = 1_000
export const RING_ACTORS = 10_000

/** One piece of work; `share` is the part of the operations that a slow peer does, because figures are for each operation. */
export interface Work extends Pick<Contender, 'prepare' | 'run' | 'cleanUp'> {
  readonly share?: number
}

/** One who does the work. */
export interface ActorPeer {
  readonly name: string
  readonly works: { readonly [S in Subject]?: Work }
  /**
   * Starts idle actors that are kept until `release`.
   *
   * @returns bytes of the heap, where the peer measures them itself
   */
  readonly idle?: { readonly count: number; hold(count: number): unknown; release(): unknown }
  /** What a reader must know of its figures. */
  readonly notes?: readonly string[]
  readonly close?: () => unknown
}

/** A promise and what settles it. */
export function latch(): { readonly done: Promise<void>; readonly open: () => void } {
  let open = () => {}
  const done = new Promise<void>(resolve => {
    open = resolve
  })
  return { done, open }
}
