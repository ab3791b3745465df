import { type Behavior, behavior, type Message, type Ref, type ReplyTo, type Supervision } from 'spimpl-runtime'

/** Starts a child, behind those that are there already. */
export interface StartChild {
  readonly type: 'start'
  readonly name: string
  readonly child: Behavior<Message>
  readonly replyTo: ReplyTo<Ref<Message>>
}

/** An actor that only supervises: it fails when its children fail too often, and then whoever supervises it decides. */
export function supervisor(supervision: Supervision): Behavior<StartChild> {
  return behavior<StartChild>(
    context => ({
      start: ({ name, child, replyTo }) => {
        replyTo.tell(context.spawn(child, { name }))
      },
    }),
    { supervision },
  )
}

/** A reference to a new child of a supervisor. It outlives restarts of the child, and not those of the supervisor. */
export async function startUnder<M extends Message>(
  parent: Ref<StartChild>,
  name: string,
  child: Behavior<M>,
  timeoutMs = 10_000,
): Promise<Ref<M>> {
  const started = await parent.ask(
    replyTo => ({ type: 'start', name, child: child as unknown as Behavior<Message>, replyTo }),
    { timeoutMs },
  )
  return started as unknown as Ref<M>
}
