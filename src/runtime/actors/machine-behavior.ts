import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate'
import { SpimplError } from '../errors.ts'
import { type ActorContext, type Behavior, type BehaviorOptions, behavior } from './actor.ts'
import { anyMessage, type Handlers, type Message } from './message.ts'

/** The input of a machine, and an observer of its transitions. */
export interface MachineOptions<Machine extends AnyStateMachine> extends BehaviorOptions {
  readonly input?: InputFrom<Machine>
  /** Called after every transition, with the new state. */
  readonly onTransition?: (snapshot: SnapshotFrom<Machine>, context: ActorContext<EventFromLogic<Machine>>) => void
}

/** An action that xstate's pure functions return for the caller to execute. */
interface MachineAction {
  readonly type: string
  readonly info: unknown
  readonly params: unknown
  readonly exec: ((info: unknown, params: unknown) => void) | undefined
}

interface DelayedEvent {
  readonly event: Message
  readonly id?: string
  readonly delay?: number
}

/**
 * An xstate machine as a behaviour. Its events are the actor's messages; its transitions are computed by xstate's pure
 * functions, its delays (`after`) are the actor's timers, and its state is in every inspection. A machine that reaches
 * its final state stops its actor. Machines that spawn or invoke others are refused: here actors do that.
 *
 * @example const ref = system.spawn(fromMachine(door), { name: 'door' })
 */
export function fromMachine<Machine extends AnyStateMachine>(
  machine: Machine,
  { input, onTransition, ...options }: MachineOptions<Machine> = {},
): Behavior<EventFromLogic<Machine>> {
  type Event = EventFromLogic<Machine>
  return behavior<Event>(context => {
    let snapshot: AnyMachineSnapshot
    let anonymousEvents = 0
    /** An event without an id cannot be cancelled, and replaces no other. */
    const keyOf: KeyOf = id => (id === undefined ? `machine#${++anonymousEvents}` : `machine:${id}`)
    const take = (next: AnyMachineSnapshot, actions: readonly MachineAction[]): void => {
      snapshot = next
      for (const action of actions) carryOut(action, context as unknown as ActorContext<Message>, keyOf)
      onTransition?.(snapshot as SnapshotFrom<Machine>, context)
      if (snapshot.status === 'error') throw snapshot.error
      if (snapshot.status === 'done') context.stop()
    }
    const [first, actions] = initialTransition(machine, input as never)
    take(first as AnyMachineSnapshot, actions as unknown as readonly MachineAction[])
    context.describe(() => ({ state: snapshot.value, context: snapshot.context, status: snapshot.status }))
    const table = {
      [anyMessage]: (event: Event) => {
        const [next, actions] = transition(machine, snapshot as never, event as never)
        take(next as AnyMachineSnapshot, actions as unknown as readonly MachineAction[])
      },
    }
    return table as unknown as Handlers<Event>
  }, options)
}

/** The key of the timer of a delayed event. */
type KeyOf = (id: string | undefined) => string

function carryOut(action: MachineAction, context: ActorContext<Message>, keyOf: KeyOf): void {
  switch (action.type) {
    case 'xstate.raise': {
      const { event, id, delay } = action.params as DelayedEvent
      if (delay !== undefined) context.timers.set(keyOf(id), delay, event)
      return
    }
    case 'xstate.cancel': {
      const { sendId } = action.params as { readonly sendId: string }
      context.timers.cancel(keyOf(sendId))
      return
    }
    case 'xstate.spawnChild':
    case 'xstate.stopChild':
    case 'xstate.sendTo':
      throw new SpimplError(
        'ACTOR_FAILED',
        `expected a machine without children, ${context.path} was told ${action.type}; spawn an actor in onTransition`,
      )
    default:
      action.exec?.(action.info, action.params)
  }
}
