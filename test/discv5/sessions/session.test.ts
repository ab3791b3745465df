import test from 'ava'
import fc from 'fast-check'
import { Attempt } from '../../../src/discv5/sessions/attempt.ts'
import { Session } from '../../../src/discv5/sessions/session.ts'
import { SessionKeys } from '../../../src/discv5/sessions/session-keyring.ts'

const newKeys = (isConfirmed: boolean): SessionKeys =>
  new SessionKeys({ writeKey: new Uint8Array(16), readKey: new Uint8Array(16), isConfirmed })
const newAttempt = (): Attempt =>
  new Attempt({ nonce: new Uint8Array(12), packet: new Uint8Array(63), order: 0, now: 0 })
const newSession = (): Session => new Session('key', new Uint8Array(32), '0x', { host: '127.0.0.1', port: 1 })

test('crossing handshakes: we send with our own keys and read those of the peer', t => {
  const session = newSession()
  session.open(newAttempt())
  const [ours, theirs] = [newKeys(false), newKeys(true)]
  session.respond(newAttempt(), ours)
  t.false(session.accept(theirs))
  t.is(session.state, 'established')
  t.is(session.keyring.sending, ours)
  t.is(session.peerUsed(theirs), 'swapped')
  t.is(session.keyring.sending, theirs)
})

test('three unanswered requests in a row give the keys up; one answer in between does not', t => {
  const session = newSession()
  session.accept(newKeys(true))
  session.unanswered()
  session.unanswered()
  session.answered()
  session.unanswered()
  session.unanswered()
  t.true(session.isEstablished)
  session.unanswered()
  t.is(session.state, 'idle')
  t.is(session.keyring.sending, undefined)
})

test('16 challenges are answered before a session is established, and then again', t => {
  const session = newSession()
  const responses = (): number => Array.from({ length: 20 }, () => session.takeResponse()).filter(Boolean).length
  t.is(responses(), 16)
  session.respond(newAttempt(), newKeys(false))
  t.true(session.confirm())
  t.is(responses(), 16)
})

test('property: any verbs in any order keep a sending key in an established session', t => {
  const verb = fc.constantFrom('open', 'challenge', 'respond', 'accept', 'used', 'fail', 'unanswered')
  fc.assert(
    fc.property(fc.array(verb, { maxLength: 60 }), verbs => {
      const session = newSession()
      for (const one of verbs) {
        if (one === 'open') session.open(newAttempt())
        else if (one === 'challenge') session.challenge()
        else if (one === 'respond') session.respond(newAttempt(), newKeys(false))
        else if (one === 'accept') session.accept(newKeys(true))
        else if (one === 'fail' && !session.isEstablished) session.fail()
        else if (one === 'unanswered') session.unanswered()
        else if (one === 'used') {
          // As the inbox does it: a packet of the peer opened under one of the keys.
          const { first } = session.keyring
          if (first === undefined) continue
          const use = session.peerUsed(first)
          if (use === 'confirmed') session.confirm()
          else if (use === 'swapped' && !session.isEstablished) session.resume()
        }
        t.true(!session.isEstablished || session.keyring.sending !== undefined)
      }
    }),
  )
})
