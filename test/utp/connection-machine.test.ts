import test from 'ava'
import {
  type ConnectionEvent,
  type ConnectionState,
  connectionLifecycle,
} from '../../src/utp/connection/connection-machine.ts'

const lives: readonly (readonly [ConnectionEvent[], ConnectionState])[] = [
  [[], 'idle'],
  [['connect'], 'syn-sent'],
  [['listen'], 'awaiting-syn'],
  [['connect', 'establish'], 'connected'],
  [['listen', 'establish', 'finish'], 'finishing'],
  [['connect', 'establish', 'finish', 'close'], 'closed'],
  [['connect', 'establish', 'close'], 'closed'],
  [['connect', 'fail'], 'reset'],
  [['connect', 'establish', 'finish', 'fail'], 'reset'],
  // An event without a transition changes nothing.
  [['establish'], 'idle'],
  [['connect', 'finish', 'close'], 'syn-sent'],
  [['connect', 'fail', 'establish', 'close'], 'reset'],
]

for (const [events, state] of lives)
  test(`${events.join(', ') || 'nothing'} leads to ${state}`, t => {
    const lifecycle = connectionLifecycle()
    for (const event of events) lifecycle.send(event)
    t.is(lifecycle.state, state)
    t.is(connectionLifecycle().state, 'idle')
  })
