/**
 * The door for those who write a protocol core: a state machine without I/O, clock or randomness.
 *
 *     core           the interface that an actor drives
 *     turn           the moment and the outputs of one call
 *     deadlines      all timers of a core in one heap of named entries
 *     limits         defaults, and what a user changes of them, checked
 *     counters       counts under a closed set of names
 *     state-table    a lifecycle as a table, compiled from an xstate machine
 *     pending-calls  calls that await their result, by number
 *     invariant      what must hold wherever state moves
 */
export type { Core } from './cores/core.ts'
export { type CounterNames, Counters } from './cores/counters.ts'
export { Deadline, Deadlines } from './cores/deadlines.ts'
export { invariant } from './cores/invariant.ts'
export { checkedLimits, type LimitRange, type LimitRanges } from './cores/limits.ts'
export { PendingCalls } from './cores/pending-calls.ts'
export { Lifecycle, type StateTable, stateTable, type TransitionMachine } from './cores/state-table.ts'
export { Turn } from './cores/turn.ts'
export { type Randomness, seededRandomness } from './ports/randomness.ts'
