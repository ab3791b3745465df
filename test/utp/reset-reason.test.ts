import test from 'ava'
import fc from 'fast-check'
import { decodeResetReason, encodeResetReason } from '../../src/utp/wire/reset-reason.ts'

test('a reason that a peer may learn is decoded as it was encoded; others leave as no reason', t => {
  for (const reason of ['STREAM_TIMEOUT', 'STREAM_IDLE', 'STREAM_LIMIT', 'STREAM_CONNECT_TIMEOUT'] as const)
    t.is(decodeResetReason(encodeResetReason(reason)), reason)
  t.is(encodeResetReason('STREAM_RESET').length, 0)
  t.is(encodeResetReason(undefined).length, 0)
})

test('any payload decodes to a reason that encodes to it, or to none', t => {
  const ascii = fc.constantFrom('STREAM_IDLE', 'STREAM_', 'stream_idle', 'STREAM_IDLE\0').map(text => Buffer.from(text))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), ascii), payload => {
      const reason = decodeResetReason(payload)
      if (reason !== undefined) t.is(Buffer.compare(encodeResetReason(reason), payload), 0)
    }),
  )
})
