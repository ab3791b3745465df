import { type AnyStateMachine, initialTransition, transition } from 'xstate'

/**
 * A machine of xstate, as far as its transitions are read here. Its own type would bring the declarations of xstate,
 * which do not compile under `exactOptionalPropertyTypes`, to everybody who imports a core.
 */
export interface TransitionMachine {
  readonly id: string
  readonly root: { readonly states: Readonly<Record<string, unknown>> }
}

/** The transitions of a machine without context, compiled from xstate's pure functions. */
export interface StateTable<State extends string, Event extends string> {
  readonly initial: State
  /** The state after `event`; undefined where the machine has no such transition. */
  next(state: State, event: Event): State | undefined
}

/**
 * Compiles a machine without context, actions or guards to a table: a core asks xstate once for each pair, not once for
 * each event. Events are lower case, in the imperative: `open`, `confirm`, `fail`.
 *
 * @example
 * const table = stateTable<'closed' | 'opened', 'open' | 'close'>(door, ['open', 'close'])
 * table.next('closed', 'open') // 'opened'
 */
export function stateTable<State extends string, Event extends string>(
  definition: TransitionMachine,
  events: readonly Event[],
): StateTable<State, Event> {
  const machine = definition as AnyStateMachine
  const [start] = initialTransition(machine)
  const rows = new Map<State, Partial<Record<Event, State>>>()
  const open = [start]
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    const state = from.value as State
    if (rows.has(state)) continue
    const row: Partial<Record<Event, State>> = {}
    rows.set(state, row)
    const known = events.filter(type => machine.root.states[state]?.on[type] !== undefined)
    for (const type of known) {
      const [to] = transition(machine, from, { type })
      row[type] = to.value as State
      open.push(to)
    }
  }
  return { initial: start.value as State, next: (state, event) => rows.get(state)?.[event] }
}

/** Where one object stands in the lifecycle of its kind: only its own verbs move it. */
export class Lifecycle<State extends string, Event extends string> {
  readonly #table: StateTable<State, Event>
  #state: State

  constructor(table: StateTable<State, Event>) {
    this.#table = table
    this.#state = table.initial
  }

  get state(): State {
    return this.#state
  }

  /** @returns whether the machine has such a transition; if not, nothing changes */
  send(event: Event): boolean {
    const next = this.#table.next(this.#state, event)
    if (next === undefined) return false
    this.#state = next
    return true
  }
}
