import type { Ref } from 'spimpl-runtime'
import type { NetworkCall, OverlayMessage } from '../../actors/overlay-messages.ts'
import { SpimplError } from '../../src/errors.ts'
import type { CallResult } from '../../src/portal/portal.ts'

let lastCallId = 0

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
  lastCallId += 1
  const id = lastCallId
  const abandon = (): void => {
    overlay.tell({ type: 'abandon', id })
  }
  options.signal.addEventListener('abort', abandon, { once: true })
  try {
    const result = await overlay.ask(replyTo => ({ type: 'call', id, call, replyTo }), options)
    if ((types as readonly string[]).includes(result.type))
      return result as Extract<CallResult, { readonly type: Type }>
    if (result.type === 'failed') throw new SpimplError(result.code, result.detail)
    throw new SpimplError('MESSAGE_UNKNOWN', `expected ${types.join(' or ')}, got ${result.type}`)
  } finally {
    options.signal.removeEventListener('abort', abandon)
  }
}
