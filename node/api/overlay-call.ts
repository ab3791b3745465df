import type { Ref } from 'spimpl-runtime'
import type { OverlayMessage } from '../../actors/overlay.ts'
import { SpimplError } from '../../src/errors.ts'
import type { CallResult, OverlayCall } from '../../src/portal/portal.ts'

/** `Omit` for each member of a union. */
type WithoutRef<Call> = Call extends unknown ? Omit<Call, 'ref'> : never

/** A call of the overlay, before it has its number. */
export type NetworkCall = WithoutRef<OverlayCall>

/** Errors of an ask whose caller no longer waits while the actor still works on it. */
const CALLER_LEFT: ReadonlySet<string> = new Set(['ASK_ABORTED', 'ASK_TIMEOUT'])

/** Calls of all overlays in this thread are numbered in one sequence, so that no overlay gets a number twice. */
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
  const numbered: OverlayCall = { ...call, ref }
  const ask = overlay.ask(replyTo => ({ type: 'call', call: numbered, replyTo }), {
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  })
  const result = await ask.catch((error: unknown) => {
    if (error instanceof SpimplError && CALLER_LEFT.has(error.code)) overlay.tell({ type: 'cancel', ref })
    throw error
  })
  if ((types as readonly string[]).includes(result.type)) return result as Extract<CallResult, { readonly type: Type }>
  if (result.type === 'failed') throw new SpimplError(result.code, result.detail)
  throw new SpimplError('MESSAGE_UNKNOWN', `expected ${types.join(' or ')}, got ${result.type}`)
}
