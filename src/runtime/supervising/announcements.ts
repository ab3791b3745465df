import type { ActorHost } from '../actors/actor-host.ts'
import { execution } from '../queues/root-queue.ts'
import { diagnostics } from '../watching/diagnostics.ts'
import { FAILED, RESTARTED, STARTED, STOPPED } from '../watching/recorder.ts'
import type { StopReason } from './termination.ts'

/** An actor whose life is announced. */
interface Announced {
  readonly id: number
  readonly path: string
  readonly host: ActorHost
}

/** Records and publishes that a life has begun. */
export function announceStart({ id, path, host }: Announced, isRestart: boolean): void {
  host.recorder?.knowActor(id, path)
  host.note(isRestart ? RESTARTED : STARTED, id, 0, isRestart ? 'restarted' : 'started')
  const channel = isRestart ? diagnostics.restarted : diagnostics.started
  if (channel.hasSubscribers) channel.publish(host.event(path))
}

/** Records and publishes a failure. */
export function announceFailure({ id, path, host }: Announced, error: unknown): void {
  host.note(FAILED, id, execution.messageId, error instanceof Error ? error.name : 'failed')
  if (diagnostics.failed.hasSubscribers) diagnostics.failed.publish({ ...host.event(path), error })
}

/** Records and publishes the end of an actor. */
export function announceStop({ id, path, host }: Announced, reason: StopReason): void {
  host.note(STOPPED, id, 0, reason.type)
  host.recorder?.forgetActor(id)
  if (diagnostics.stopped.hasSubscribers) diagnostics.stopped.publish({ ...host.event(path), reason })
}
