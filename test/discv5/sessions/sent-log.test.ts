import test from 'ava'
import fc from 'fast-check'
import { SentLog } from '../../../src/discv5/sessions/sent-log.ts'
import { Session } from '../../../src/discv5/sessions/session.ts'

const CAPACITY = 8
const LIFETIME_MS = 100

const nonceOf = (number: number): Uint8Array => {
  const nonce = new Uint8Array(12)
  nonce[3] = number
  nonce[11] = number ^ 0x55
  return nonce
}

test('property: the log finds what a list of the last messages would find', t => {
  const step = fc.record({ session: fc.nat({ max: 1 }), wait: fc.nat({ max: 40 }), takes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const sessions = [0, 1].map(port => new Session(`${port}`, new Uint8Array(32), '0x', { host: '::', port }))
      const log = new SentLog(CAPACITY, LIFETIME_MS)
      let model: { session: number; number: number; sentAt: number }[] = []
      let now = 0
      for (const [number, { session, wait, takes }] of steps.entries()) {
        now += wait
        log.add(sessions[session]!, Uint8Array.of(number), undefined, nonceOf(number), now)
        model.push({ session, number, sentAt: now })
        // A slot of the ring is used anew after `CAPACITY` messages, taken ones included.
        model = model.filter(sent => sent.number > number - CAPACITY)
        for (const sent of model) {
          const isYoung = sent.sentAt + LIFETIME_MS >= now
          t.is(log.find(nonceOf(sent.number), now)?.plaintext[0], isYoung ? sent.number : undefined)
        }
        t.true(log.size <= CAPACITY)
        if (!takes) continue
        const expected = model.filter(sent => sent.session === session && sent.sentAt + LIFETIME_MS >= now)
        model = model.filter(sent => sent.session !== session)
        t.deepEqual(
          log.takeSince(sessions[session]!, 0, now).map(({ plaintext }) => plaintext[0]),
          expected.map(sent => sent.number),
        )
      }
    }),
  )
})
