import { z } from 'zod'
import type { NodeParts } from '../node/node.ts'
import { SpimplError } from '../src/errors.ts'
import { type Method, method } from '../src/rpc/methods/method.ts'

/** Methods for tests of supervision. Only with SPIMPL_TEST_HOOKS=1. */
export function testHooks({ system, refs }: NodeParts): readonly Method[] {
  if (process.env.SPIMPL_TEST_HOOKS !== '1') return []
  const actor = z.enum(Object.keys(refs) as (keyof typeof refs)[])
  return [
    method('spimpl_crashActor', 'Fails an actor as if its handler had thrown', { actor }, async ({ actor }) => {
      system.failActor<never>(refs[actor], new SpimplError('ACTOR_FAILED', 'spimpl_crashActor was called'))
      return true
    }),
  ]
}
