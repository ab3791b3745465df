import { supervisedChild } from 'spimpl-runtime/machines'
import { type AnyStateMachine, initialTransition } from 'xstate'
import { sessionMachine } from '../src/discv5/sessions/session-machine.ts'
import { SpimplError } from '../src/errors.ts'
import { connectionMachine } from '../src/utp/connection/connection-machine.ts'

/** Every lifecycle that is an xstate machine, by the name that `spimpl machines` takes. */
const MACHINES: Readonly<Record<string, { readonly of: string; readonly machine: AnyStateMachine }>> = {
  session: { of: 'a discv5 session', machine: sessionMachine },
  stream: { of: 'a uTP stream', machine: connectionMachine },
  child: { of: 'a supervised actor', machine: supervisedChild },
}

interface Transition {
  readonly from: string
  readonly event: string
  readonly to: string
}

/** The transitions of a machine as plain data, read from the machine that runs. */
function transitionsOf(machine: AnyStateMachine): Transition[] {
  return Object.values(machine.states).flatMap(state =>
    [...state.transitions.entries()].flatMap(([event, transitions]) =>
      transitions.flatMap(({ target }) => (target ?? []).map(({ key }) => ({ from: state.key, event, to: key }))),
    ),
  )
}

/** A Mermaid state diagram: GitHub and most editors draw it. */
function diagramOf(machine: AnyStateMachine): string {
  // Mermaid takes a dash in a state's id for an arrow.
  const id = (key: string): string => key.replaceAll('-', '_')
  const states = Object.values(machine.states)
  const initial = initialTransition(machine)[0].value as string
  return [
    'stateDiagram-v2',
    ...states.filter(({ key }) => id(key) !== key).map(({ key }) => `  state "${key}" as ${id(key)}`),
    `  [*] --> ${id(initial)}`,
    ...transitionsOf(machine).map(({ from, event, to }) => `  ${id(from)} --> ${id(to)}: ${event}`),
    ...states.filter(({ type }) => type === 'final').map(({ key }) => `  ${id(key)} --> [*]`),
  ].join('\n')
}

/** What `spimpl machines` prints. @throws SpimplError `USAGE` for an unknown name */
export function describeMachines(name: string | undefined, options: { readonly json?: boolean }): string {
  const chosen = Object.entries(MACHINES).filter(([key]) => name === undefined || key === name)
  if (chosen.length === 0) {
    throw new SpimplError('USAGE', `expected one of ${Object.keys(MACHINES).join(', ')}, got ${JSON.stringify(name)}`)
  }
  if (options.json) {
    return JSON.stringify(
      Object.fromEntries(chosen.map(([key, { machine }]) => [key, { transitions: transitionsOf(machine) }])),
    )
  }
  return chosen.map(([key, { of, machine }]) => `%% ${key}: ${of}\n${diagramOf(machine)}`).join('\n\n')
}
