import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { z } from 'zod'
import type { NodeOptions, NodeParts } from '../actors/node.ts'
import { nativeCryptography } from '../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { SpimplError } from '../src/errors.ts'
import { validateInWorker } from '../src/history/validation-task.ts'
import { type Method, method } from '../src/rpc/method.ts'
import { openDatagramSocket } from '../src/transport/node-dgram.ts'
import type { ExecutorSetting } from './options.ts'

/** The ports as this machine has them: what every command composes a node of. */

export const cryptography = nativeCryptography(nodeCryptography)

export const openSocket = openDatagramSocket

export const compute: NodeOptions['compute'] = validateInWorker

/** name/version/os-cpu/language (ping-extensions/extensions/type-0.md). */
export const clientVersion = `spimpl/${packageVersion()}/${process.platform}-${process.arch}/node${process.versions.node}`

export function packageVersion(): string {
  const file = createRequire(import.meta.url).resolve('spimpl/package.json')
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
  return version
}

/** The executor that a setting stands for. */
export function chooseExecutor(setting: ExecutorSetting): { readonly name: string } {
  if (setting !== 'dispatch') return { name: 'event-loop' }
  throw new SpimplError(
    'EXECUTOR_UNAVAILABLE',
    '--executor: expected auto or event-loop, dispatch is not available here',
  )
}

/** Methods that only tests want, behind SPIMPL_TEST_HOOKS=1. */
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
