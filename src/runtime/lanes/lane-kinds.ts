/** Kinds of messages between lanes. `id` is a number of the receiver, unless said otherwise. */

/** For actor `id`, from any lane. */
export const TELL = 0
/** To a lane: for the actor whose stand-in forwards it. */
export const TELL_STAND_IN = 1
/** The answer to question `id`. */
export const ANSWER = 2
/** Question `id` fails with the payload. */
export const REFUSE = 3
/** To a lane: start an actor, under the number `id` of the main lane. */
export const SPAWN = 4
/** To a lane: stop it, behind what waits for it. */
export const STOP = 5
/** From a lane: it has ended, for the reason of the payload. */
export const ENDED = 6
/** To a lane: keep the thread on processor `id`. */
export const PIN = 7
/** From a lane: done, or the payload says why not. */
export const PINNED = 8
/** To a lane: another one, `id`, has ended. */
export const LANE_GONE = 9
/** To a lane: say when actor `id` has handled all that came before. */
export const MARK = 10
/** From a lane: it has. */
export const MARKED = 11
/** To a lane: the stand-in `id` has come to its end, nobody takes over what its actor left. */
export const FORGET = 12
/** Tell the watcher of the payload when actor `id` ends. The next two are handled where this one is (death-watches.ts). */
export const WATCH = 13
/** That watcher does not want to know any more. */
export const UNWATCH = 14
/** The payload is the end of what the watch `id` is for. */
export const TERMINATED = 15
/** To a lane: the payload is what the main lane wants to see, `id` the number of the question. */
export const LOOK = 16
/** From a lane: the answer. */
export const SEEN = 17
