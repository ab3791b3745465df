/** How an actor came to its end. */
export type StopReason =
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'late' }

/** The notice that a watcher gets, once. */
export interface Terminated {
  readonly path: string
  readonly reason: StopReason
}

/** The message of a watcher for a notice, or the function that builds it. */
export type WatchMessage<M> = M | ((notice: Terminated) => M)
