import type { Message } from '../actors/message.ts'
import type { Terminated, WatchMessage } from './termination.ts'

/** An actor that watches others. Its watches end with its life: so it remembers where they are kept. */
export interface Watcher {
  /** Delivers the notice of an end. */
  notify(message: WatchMessage<Message>, notice: Terminated): void
  watches(kept: WatchKeeper): void
  watchesNoMore(kept: WatchKeeper): void
}

/** Where watches are kept: with the watched actor of this thread, or for all actors of other lanes together. */
export interface WatchKeeper {
  /** Ends every watch of `watcher` that is kept here. */
  removeWatcher(watcher: Watcher): void
}

/** An actor of this thread that can be watched. */
export interface Watched extends WatchKeeper {
  addWatcher(watcher: Watcher, message: WatchMessage<Message>): void
}
