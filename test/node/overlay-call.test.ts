import test from 'ava'
import { behavior, System } from 'spimpl-runtime'
import type { OverlayMessage } from '../../actors/overlay.ts'
import { overlayCall } from '../../node/api/overlay-call.ts'

/** Stands for an overlay: keeps what it is told, answers record calls, and keeps silent to all others. */
function overlayOf(system: System) {
  const told: OverlayMessage[] = []
  const take = (message: OverlayMessage): void => {
    told.push(message)
    if (message.type === 'call' && message.call.type === 'remove-record') {
      const { ref } = message.call
      message.replyTo.tell({ type: 'record-removed', ref, removed: true })
    } else if (message.type === 'call' && message.call.type === 'lookup-nodes') {
      message.replyTo.tell({
        type: 'failed',
        ref: message.call.ref,
        code: 'REQUEST_TIMEOUT',
        detail: 'a drill',
        trace: undefined,
      })
    }
  }
  const handlers = new Proxy({}, { get: () => take, has: () => true })
  return { told, ref: system.spawn(behavior<OverlayMessage>(() => handlers as never)) }
}

const refOf = (message: OverlayMessage | undefined): number | undefined =>
  message?.type === 'call' ? message.call.ref : message?.type === 'cancel' ? message.ref : undefined
const soon = { timeoutMs: 10_000 }
const node = `0x${'11'.repeat(32)}`

test('each call has one number, which its result carries', async t => {
  await using system = new System()
  const { told, ref } = overlayOf(system)
  const remove = () => overlayCall(ref, { type: 'remove-record', nodeIdHex: node }, soon, ['record-removed'])
  const [first, second] = await Promise.all([remove(), remove()])
  t.is(first.ref, refOf(told[0])!)
  t.is(second.ref, refOf(told[1])!)
  t.not(first.ref, second.ref)
})

test('a call whose caller has left is cancelled by its number', async t => {
  await using system = new System()
  const { told, ref } = overlayOf(system)
  const controller = new AbortController()
  const options = { ...soon, signal: controller.signal }
  const asked = overlayCall(ref, { type: 'lookup-record', nodeId: new Uint8Array(32) }, options, ['record-found'])
  controller.abort()
  await t.throwsAsync(asked, { code: 'ASK_ABORTED' })
  const late = overlayCall(ref, { type: 'lookup-record', nodeId: new Uint8Array(32) }, { timeoutMs: 1 }, [
    'record-found',
  ])
  await t.throwsAsync(late, { code: 'ASK_TIMEOUT' })
  // Its answer comes after what was told before.
  await overlayCall(ref, { type: 'remove-record', nodeIdHex: node }, soon, ['record-removed'])
  const [call, cancelled, lateCall, lateCancelled] = told
  t.is(cancelled?.type, 'cancel')
  t.is(refOf(cancelled), refOf(call))
  t.is(lateCancelled?.type, 'cancel')
  t.is(refOf(lateCancelled), refOf(lateCall))
})

test('a failed call rejects with its own code, and is not cancelled', async t => {
  await using system = new System()
  const { told, ref } = overlayOf(system)
  const asked = overlayCall(ref, { type: 'lookup-nodes', target: new Uint8Array(32) }, soon, ['nodes'])
  await t.throwsAsync(asked, { code: 'REQUEST_TIMEOUT', message: 'a drill' })
  t.is(told.length, 1)
})
