/** Kinds of messages between lanes, beside those of the actors themselves (lane-link.ts): what keeps two lanes in step. */

/** To a lane: another one, `id`, has ended. */
export const LANE_GONE = 16
/** To a lane: say when actor `id` has handled all that came before. */
export const MARK = 17
/** From a lane: it has. */
export const MARKED = 18
/** To a lane: the stand-in `id` has come to its end, nobody takes over what its actor left. */
export const FORGET = 19
/** Tell the watcher of the payload when actor `id` ends. */
export const WATCH = 20
/** That watcher does not want to know any more. */
export const UNWATCH = 21
/** The payload is the end of what the watch `id` is for. */
export const TERMINATED = 22
/** To a lane: the payload is what the main lane wants to see, `id` the number of the question. */
export const LOOK = 23
/** From a lane: the answer. */
export const SEEN = 24
