import type { Ref } from 'spimpl-runtime'
import type { OverlayMessage } from '../../actors/overlay.ts'
import { SpimplError } from '../../src/errors.ts'
import type { CallResult, OverlayCall } from '../../src/portal/portal.ts'

/** `Omit` for each member of a union. */
type WithoutRef<Call> = Call extends unknown ? Omit<Call, 'ref'> : never

/** A call of the overlay, before it has its number. */
export type NetworkCall = WithoutRef<OverlayCall>

/** Calls of all overlays in this thread are numbered in one sequence, so that no overlay gets a number twice. */
let lastRef = 0

/**
 * One call of the overlay. When its caller has gone, the overlay stops working for it.
 *
 * @throws what the call failed with
 */
export async function overlayCall<Type extends CallResult['type']>(
  overlay: Ref<OverlayMessage>,
  call: NetworkCall,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  types: readonly Type[],
): Promise<Extract<CallResult, { readonly type: Type }>> {
  lastRef += 1
  const ref = lastRef
  const cancel = (): void => {
    overlay.tell({ type: 'cancel', ref })
  }
  options.signal.addEventListener('abort', cancel, { once: true })
  try {
    const numbered: OverlayCall = { ...call, ref }
    const result = await overlay.ask<CallResult>(replyTo => ({ type: 'call', call: numbered, replyTo }), options)
    if ((types as readonly string[]).includes(result.type))
      return result as Extract<CallResult, { readonly type: Type }>
    if (result.type === 'failed') throw new SpimplError(result.code, result.detail)
    throw new SpimplError('MESSAGE_UNKNOWN', `expected ${types.join(' or ')}, got ${result.type}`)
  } finally {
    options.signal.removeEventListener('abort', cancel)
  }
}
