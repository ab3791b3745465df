import { createMachine, initialTransition, transition } from 'xstate'
import type { ChildState } from './child-state.ts'

/** The life of a supervised child. Every actor goes through it, so it is compiled to a table once, by xstate's pure functions. */
export const supervisedChild = createMachine({
  id: 'supervisedChild',
  initial: 'starting',
  states: {
    starting: { on: { started: 'running', fail: 'failed', goDown: 'restarting', stop: 'stopping' } },
    running: { on: { fail: 'failed', goDown: 'restarting', stop: 'stopping' } },
    failed: { on: { goDown: 'restarting', stop: 'stopping' } },
    restarting: { on: { down: 'waiting', stop: 'stopping' } },
    waiting: { on: { comeUp: 'starting', stop: 'stopping' } },
    stopping: { on: { down: 'stopped' } },
    stopped: { type: 'final' },
  },
})

export type ChildEvent = 'started' | 'fail' | 'goDown' | 'down' | 'comeUp' | 'stop'

const events: readonly ChildEvent[] = ['started', 'fail', 'goDown', 'down', 'comeUp', 'stop']

function compile(): Readonly<Record<ChildState, Readonly<Partial<Record<ChildEvent, ChildState>>>>> {
  const [initial] = initialTransition(supervisedChild)
  const table: Record<string, Partial<Record<ChildEvent, ChildState>>> = {}
  const open = [initial]
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    const state = from.value as ChildState
    if (table[state] !== undefined) continue
    table[state] = {}
    for (const type of events) {
      const [to] = transition(supervisedChild, from, { type })
      if (to.value === from.value) continue
      table[state][type] = to.value as ChildState
      open.push(to)
    }
  }
  return table as Record<ChildState, Partial<Record<ChildEvent, ChildState>>>
}

const table = compile()

/** The state after `event`; `undefined` where the machine has no such transition. */
export function nextChildState(state: ChildState, event: ChildEvent): ChildState | undefined {
  return table[state][event]
}
