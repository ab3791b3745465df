import { invariant } from '../cores/invariant.ts'
import type { Target } from './root-queue.ts'

/**
 * Holds a queue and all its targets while a promise of its work is pending, because exclusion comes from the targets.
 */
export function hold(queue: Target): void {
  for (let at: Target | undefined = queue; at !== undefined; at = at.target) at.inFlight++
  queue.root.disturbances++
}

/** Ends a hold: each of the queues may go on. */
export function release(queue: Target): void {
  for (let at: Target | undefined = queue; at !== undefined; at = at.target) {
    invariant(at.inFlight > 0, 'a held queue where a hold ends')
    at.inFlight--
    at.schedule()
  }
}
