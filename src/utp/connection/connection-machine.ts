import { createMachine, initialTransition, transition } from 'xstate'

/**
 * The life of one stream. Only events that happen a few times in a stream go through it; packets do not.
 *
 * `finishing` begins with the first FIN that is wanted here or arrives from the peer. `closed` is an end that both sides agree on,
 * `reset` every other one.
 */
export const connectionMachine = createMachine({
  id: 'utp-connection',
  initial: 'idle',
  types: {} as { events: ConnectionEvent },
  states: {
    idle: { on: { CONNECT: 'syn-sent', LISTEN: 'awaiting-syn', FAIL: 'reset' } },
    'syn-sent': { on: { ESTABLISHED: 'connected', FAIL: 'reset' } },
    'awaiting-syn': { on: { ESTABLISHED: 'connected', FAIL: 'reset' } },
    connected: { on: { FIN: 'finishing', FAIL: 'reset', DONE: 'closed' } },
    finishing: { on: { FAIL: 'reset', DONE: 'closed' } },
    closed: { type: 'final' },
    reset: { type: 'final' },
  },
})

export type ConnectionEvent = {
  readonly type: 'CONNECT' | 'LISTEN' | 'ESTABLISHED' | 'FIN' | 'DONE' | 'FAIL'
}

/** The states of a stream, those of `connectionMachine`. */
export type ConnectionState = 'idle' | 'syn-sent' | 'awaiting-syn' | 'connected' | 'finishing' | 'closed' | 'reset'

/** Snapshots are immutable, so all streams begin with the same one. */
const [beginning] = initialTransition(connectionMachine)

/** Holds the machine's present state; `advance` takes microseconds. */
export class ConnectionLifecycle {
  #snapshot = beginning

  get state(): ConnectionState {
    return this.#snapshot.value as ConnectionState
  }

  advance(type: ConnectionEvent['type']): void {
    this.#snapshot = transition(connectionMachine, this.#snapshot, { type })[0]
  }
}
