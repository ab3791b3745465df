import test from 'ava'
import {
  type ConnectionEvent,
  ConnectionLifecycle,
  type ConnectionState,
} from '../../src/utp/connection/connection-machine.ts'

const lives: readonly (readonly [ConnectionEvent['type'][], ConnectionState])[] = [
  [[], 'idle'],
  [['CONNECT'], 'syn-sent'],
  [['LISTEN'], 'awaiting-syn'],
  [['CONNECT', 'ESTABLISHED'], 'connected'],
  [['LISTEN', 'ESTABLISHED', 'FIN'], 'finishing'],
  [['CONNECT', 'ESTABLISHED', 'FIN', 'DONE'], 'closed'],
  [['CONNECT', 'ESTABLISHED', 'DONE'], 'closed'],
  [['CONNECT', 'FAIL'], 'reset'],
  [['CONNECT', 'ESTABLISHED', 'FIN', 'FAIL'], 'reset'],
  // What makes no sense changes nothing.
  [['ESTABLISHED'], 'idle'],
  [['CONNECT', 'FIN', 'DONE'], 'syn-sent'],
  [['CONNECT', 'FAIL', 'ESTABLISHED', 'DONE'], 'reset'],
]

for (const [events, state] of lives)
  test(`${events.join(', ') || 'nothing'} leads to ${state}`, t => {
    const lifecycle = new ConnectionLifecycle()
    for (const event of events) lifecycle.advance(event)
    t.is(lifecycle.state, state)
    t.is(new ConnectionLifecycle().state, 'idle')
  })
