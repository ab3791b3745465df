import { createMachine } from 'xstate'
import { type StateTable, stateTable } from '../cores/state-table.ts'
import type { ChildEvent, ChildState } from './child-state.ts'

/**
 * The life of a supervised child. `restart` stops it for a restart; it waits, stopped, until its siblings of the same
 * restart have stopped too, and `start` begins its next life.
 */
export const supervisedChild = createMachine({
  id: 'supervisedChild',
  initial: 'starting',
  states: {
    starting: { on: { run: 'running', fail: 'failed', restart: 'restarting', stop: 'stopping' } },
    running: { on: { fail: 'failed', restart: 'restarting', stop: 'stopping' } },
    failed: { on: { restart: 'restarting', stop: 'stopping' } },
    restarting: { on: { end: 'waiting', stop: 'stopping' } },
    waiting: { on: { start: 'starting', stop: 'stopping' } },
    stopping: { on: { end: 'stopped' } },
    stopped: { type: 'final' },
  },
})

/**
 * One table for all actors; an actor holds its state alone, because a `Lifecycle` object each would cost every idle
 * actor memory.
 */
export const childTable: StateTable<ChildState, ChildEvent> = stateTable(supervisedChild, [
  'run',
  'fail',
  'restart',
  'end',
  'start',
  'stop',
])
