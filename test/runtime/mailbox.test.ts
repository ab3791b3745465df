import test from 'ava'
import fc from 'fast-check'
import { Mailbox } from 'spimpl-runtime/internal/actors/mailbox.js'

interface Waiting {
  readonly message: unknown
  readonly messageId: number
  readonly causeId: number
  readonly enqueuedMs: number
}

/** What somebody without a compiler may send is a message too. */
const message = fc.oneof(fc.record({ type: fc.string() }), fc.constantFrom(undefined, null, 0, ''))
const operation = fc.record({
  kind: fc.constantFrom('push', 'push', 'pushAt', 'unshift', 'shift', 'shift', 'release'),
  message,
  /** So often: crowds fill several stretches, and are shifted out again. */
  times: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(3_000) }),
})

test('a mailbox is the list of what waits, with ids, causes and moments', t => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), operations => {
      const mailbox = new Mailbox()
      const model: Waiting[] = []
      let id = 2 ** 43
      for (const { kind, message, times } of operations) {
        for (let time = 0; time < times; time++) {
          const messageId = ++id
          const causeId = messageId % 3
          if (kind === 'push') {
            mailbox.push(message, messageId, causeId)
            model.push({ message, messageId, causeId, enqueuedMs: -1 })
          } else if (kind === 'pushAt') {
            mailbox.pushAt(message, messageId, causeId, messageId / 8)
            model.push({ message, messageId, causeId, enqueuedMs: messageId / 8 })
          } else if (kind === 'unshift') {
            mailbox.unshift(message, messageId, causeId)
            model.unshift({ message, messageId, causeId, enqueuedMs: -1 })
          } else if (kind === 'release') {
            mailbox.release()
            model.length = 0
          } else if (model.length > 0) {
            const expected = model.shift()!
            const taken = mailbox.shift()
            const { messageId, causeId, enqueuedMs } = mailbox
            if (taken !== expected.message || messageId !== expected.messageId) return false
            if (causeId !== expected.causeId || enqueuedMs !== expected.enqueuedMs) return false
          }
          if (mailbox.size !== model.length) return false
        }
      }
      return true
    }),
    { numRuns: 200 },
  )
  t.pass()
})

test('a throng is taken out as it came in, with ids, causes and moments, and while more come', t => {
  const mailbox = new Mailbox()
  let pushed = 0
  let taken = 0
  const push = (times: number) => {
    for (let time = 0; time < times; time++) mailbox.pushAt(pushed, ++pushed, pushed % 3, pushed / 8)
  }
  const take = (times: number) => {
    for (let time = 0; time < times; time++) {
      const message = mailbox.shift()
      const { messageId, causeId, enqueuedMs } = mailbox
      const isNext = message === taken && messageId === ++taken && causeId === taken % 3 && enqueuedMs === taken / 8
      if (!isNext) return t.fail(`expected message ${taken}, got ${String(message)} with id ${messageId}`)
    }
    return true
  }
  push(70_000)
  take(40_000)
  push(60_000)
  take(90_000)
  t.is(mailbox.size, 0)
  push(3)
  take(3)
  t.is(taken, 130_003)
})
