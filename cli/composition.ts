import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { EventLoopExecutor, type Executor } from 'spimpl-runtime'
import { ComputePool } from 'spimpl-runtime/compute-pool'
import { DispatchExecutor } from 'spimpl-runtime/dispatch'
import { z } from 'zod'
import type { NodeOptions, NodeParts } from '../node/node.ts'
import { nativeCryptography } from '../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { SpimplError } from '../src/errors.ts'
import { validationTask } from '../src/history/validation/validation-task.ts'
import { type Method, method } from '../src/rpc/method.ts'
import { openDatagramSocket } from '../src/transport/node-dgram.ts'
import type { ExecutorSetting } from './options.ts'

/** The ports as this machine has them: what every command composes a node of. */

export const cryptography = nativeCryptography(nodeCryptography)

export const openSocket = openDatagramSocket

/** name/version/os-cpu/language (ping-extensions/extensions/type-0.md). */
export const clientVersion = `spimpl/${packageVersion()}/${process.platform}-${process.arch}/node${process.versions.node}`

export function packageVersion(): string {
  const file = createRequire(import.meta.url).resolve('spimpl/package.json')
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
  return version
}

/** What runs the queues of every system of this process. */
export interface ExecutorChoice {
  readonly name: Executor['name']
  /** A system has its own: each drains a root queue of its own, which system tools show by this label. */
  readonly make: (label: string) => Executor
  /** Why it is the event loop and not libdispatch. */
  readonly notice: string | undefined
}

/** The executor that a setting stands for. Without libdispatch everything works on the event loop, and one line says so. */
export function chooseExecutor(setting: ExecutorSetting): ExecutorChoice {
  const obstacle = setting === 'event-loop' ? undefined : DispatchExecutor.obstacle()
  if (setting === 'event-loop' || obstacle !== undefined) {
    const notice = obstacle === undefined ? undefined : `the event-loop executor is used: ${obstacle}`
    return { name: 'event-loop', make: () => new EventLoopExecutor(), notice }
  }
  return { name: 'dispatch', make: label => new DispatchExecutor({ label }), notice: undefined }
}

/** Threads for what would hold up the event loop: content above INLINE_CONTENT_BYTES is validated there. */
export class ComputeThreads implements AsyncDisposable {
  readonly #pool = new ComputePool()

  readonly validate: NodeOptions['compute'] = job => this.#pool.run(validationTask, job)

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close()
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
