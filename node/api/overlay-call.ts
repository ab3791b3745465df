import type { Ref } from 'spimpl-runtime'
import type { NetworkCall, OverlayMessage } from '../../actors/overlay-messages.ts'
import { SpimplError } from '../../src/errors.ts'
import type { CallResult } from '../../src/portal/portal.ts'

/** Errors of an ask after which nobody waits for the answer, and the actor still works on it. */
const CALLER_LEFT: ReadonlySet<string> = new Set(['ASK_ABORTED', 'ASK_TIMEOUT'])

let lastRef = 0

/**
 * One call of the overlay. It is numbered here, once, and keeps its `ref` down to the request that serves it; overlays
 * are called from one thread. If the caller aborts, the overlay stops working for it.
 *
 * @throws SpimplError what the call failed with, ASK_ABORTED or ASK_TIMEOUT
 */
export async function overlayCall<Type extends CallResult['type']>(
  overlay: Ref<OverlayMessage>,
  call: NetworkCall,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  types: readonly Type[],
): Promise<Extract<CallResult, { readonly type: Type }>> {
  lastRef += 1
  const ref = lastRef
  const { timeoutMs, signal } = options
  const ask = overlay.ask(replyTo => ({ type: 'call', ref, call, replyTo }), {
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  })
  const result = await ask.catch((error: unknown) => {
    if (error instanceof SpimplError && CALLER_LEFT.has(error.code)) overlay.tell({ type: 'abandon', ref })
    throw error
  })
  if ((types as readonly string[]).includes(result.type)) return result as Extract<CallResult, { readonly type: Type }>
  if (result.type === 'failed') throw new SpimplError(result.code, result.detail)
  throw new SpimplError('MESSAGE_UNKNOWN', `expected ${types.join(' or ')}, got ${result.type}`)
}
