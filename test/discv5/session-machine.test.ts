import test from 'ava'
import {
  nextSessionState,
  type SessionEvent,
  type SessionState,
  sessionMachine,
} from '../../src/discv5/sessions/session-machine.ts'

test('the session machine: what is cached is what xstate says, and every state is reachable', t => {
  const events: SessionEvent[] = ['open', 'challenge', 'respond', 'confirm', 'accept', 'expire', 'exhaust']
  const reached = new Set<SessionState>(['idle'])
  for (const state of reached) for (const event of events) reached.add(nextSessionState(state, event))
  t.deepEqual([...reached].sort(), Object.keys(sessionMachine.states).sort())
  t.is(nextSessionState('idle', 'open'), 'opening')
  t.is(nextSessionState('opening', 'respond'), 'handshaking')
  t.is(nextSessionState('handshaking', 'confirm'), 'established')
  t.is(nextSessionState('established', 'respond'), 'handshaking')
  // A challenge of ours may have been provoked by anybody: it takes nothing away.
  t.is(nextSessionState('established', 'challenge'), 'established')
  t.is(nextSessionState('established', 'expire'), 'established')
  t.is(nextSessionState('handshaking', 'expire'), 'failed')
})
