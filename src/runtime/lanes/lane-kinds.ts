// Kinds of messages between lanes. `id` is a number of the receiver unless a comment says otherwise.

/** A message for actor `id`, from any lane. */
export const TELL = 0
/** To a lane: a message for the actor whose stand-in forwards it. */
export const TELL_STAND_IN = 1
/** The answer to question `id`. */
export const ANSWER = 2
/** Question `id` fails with the payload. */
export const REFUSE = 3
/** To a lane: start an actor, under the number `id` that the main lane gives it. */
export const SPAWN = 4
/** To a lane: stop actor `id`, behind its waiting messages. */
export const STOP = 5
/** From a lane: actor `id` has ended, for the reason in the payload. */
export const ENDED = 6
/** To a lane: keep the thread on processor `id`. */
export const PIN = 7
/** From a lane: the thread is pinned, or the payload says why not. */
export const PINNED = 8
/** To a lane: the lane `id` has ended. */
export const LANE_GONE = 9
/** To a lane: report when actor `id` has handled all earlier messages. */
export const MARK = 10
/** From a lane: actor `id` has handled all messages before the mark. */
export const MARKED = 11
/** To a lane: the stand-in `id` has ended; no next life takes the messages that its actor left. */
export const FORGET = 12
/** Notify the watcher in the payload when actor `id` ends. death-watches.ts handles this kind and the next two. */
export const WATCH = 13
/** Notify that watcher no longer. */
export const UNWATCH = 14
/** The payload is the notice for the watch `id`. */
export const TERMINATED = 15
/** To a lane: send the view named in the payload, as the answer to question `id`. */
export const LOOK = 16
/** From a lane: the view for question `id`. */
export const SEEN = 17
