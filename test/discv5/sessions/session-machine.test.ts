import test from 'ava'
import {
  SESSION_EVENTS,
  type SessionEvent,
  type SessionState,
  sessionMachine,
  sessionTable,
} from '../../../src/discv5/sessions/session-machine.ts'

test('the session machine: every state is reachable, and an event that a state does not list changes nothing', t => {
  const next = (state: SessionState, event: SessionEvent): SessionState => sessionTable.next(state, event) ?? state
  const reached = new Set<SessionState>(['idle'])
  for (const state of reached) for (const event of SESSION_EVENTS) reached.add(next(state, event))
  t.deepEqual([...reached].sort(), Object.keys(sessionMachine.states).sort())
  t.is(next('idle', 'open'), 'opening')
  t.is(next('opening', 'respond'), 'handshaking')
  t.is(next('handshaking', 'confirm'), 'established')
  t.is(next('established', 'respond'), 'handshaking')
  // Anybody may have provoked our challenge: it takes nothing away.
  t.is(next('established', 'challenge'), 'established')
  t.is(next('established', 'expire'), 'established')
  t.is(next('handshaking', 'expire'), 'failed')
})
