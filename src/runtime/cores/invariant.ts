import { SpimplError } from '../errors.ts'

/**
 * Asserts what must hold where state moves. A failure is a defect of the program, never of its input: the actor fails
 * and restarts with fresh state instead of going on with state that contradicts itself.
 *
 * @param expected a sentence about the state, as `bytes in flight equal the sum of the outstanding packets`
 * @throws SpimplError `INVARIANT_BROKEN`
 */
export function invariant(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new SpimplError('INVARIANT_BROKEN', `expected ${expected}`)
}
