import { Lifecycle, stateTable } from 'spimpl-runtime/core'
import { createMachine } from 'xstate'

/**
 * The lifecycle of one stream. Events that happen a few times in a stream go through it; packets do not.
 *
 * `finishing` starts with the first FIN, ours or the peer's. `closed` is an end that both sides agree on, `reset` any
 * other end.
 *
 * @internal Its type is xstate's, which a door must not name: see `TransitionMachine`.
 */
export const connectionMachine = createMachine({
  id: 'utp-connection',
  initial: 'idle',
  types: {} as { events: { readonly type: ConnectionEvent } },
  states: {
    idle: { on: { connect: 'syn-sent', listen: 'awaiting-syn', fail: 'reset' } },
    'syn-sent': { on: { establish: 'connected', fail: 'reset' } },
    'awaiting-syn': { on: { establish: 'connected', fail: 'reset' } },
    connected: { on: { finish: 'finishing', fail: 'reset', close: 'closed' } },
    finishing: { on: { fail: 'reset', close: 'closed' } },
    closed: { type: 'final' },
    reset: { type: 'final' },
  },
})

const EVENTS = ['connect', 'listen', 'establish', 'finish', 'close', 'fail'] as const

export type ConnectionEvent = (typeof EVENTS)[number]

/** The states of a stream, those of `connectionMachine`. */
export type ConnectionState = 'idle' | 'syn-sent' | 'awaiting-syn' | 'connected' | 'finishing' | 'closed' | 'reset'

export type ConnectionLifecycle = Lifecycle<ConnectionState, ConnectionEvent>

const table = stateTable<ConnectionState, ConnectionEvent>(connectionMachine, EVENTS)

export const connectionLifecycle = (): ConnectionLifecycle => new Lifecycle(table)
