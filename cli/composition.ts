import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { z } from 'zod'
import type { NodeOptions, NodeParts } from '../actors/node.ts'
import { nativeCryptography } from '../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { SpimplError } from '../src/errors.ts'
import { validateInWorker } from '../src/history/validation-task.ts'
import { type Method, method } from '../src/rpc/method.ts'
import { DispatchExecutor } from '../src/runtime/executors/dispatch.ts'
import { EventLoopExecutor } from '../src/runtime/executors/event-loop.ts'
import type { Executor } from '../src/runtime/executors/executor.ts'
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

/** What runs the queues of a node, and how another is made: each node has its own. */
export interface ChosenExecutor {
  readonly name: Executor['name']
  /** @param label shown by system tools that know libdispatch's queues */
  readonly make: (label: string) => Executor
  /** Why it is another one than the setting named. */
  readonly notice: string | undefined
}

/** The executor that a setting stands for. Without libdispatch everything works on the event loop, and one line says so. */
export function chooseExecutor(setting: ExecutorSetting): ChosenExecutor {
  const obstacle = setting === 'dispatch' ? DispatchExecutor.obstacle() : undefined
  if (setting === 'dispatch' && obstacle === undefined) {
    return { name: 'dispatch', make: label => new DispatchExecutor({ label }), notice: undefined }
  }
  return {
    name: 'event-loop',
    make: () => new EventLoopExecutor(),
    notice: obstacle === undefined ? undefined : `--executor: event-loop is used instead of dispatch: ${obstacle}`,
  }
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
