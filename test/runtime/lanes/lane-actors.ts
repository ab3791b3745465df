/** Actors that the tests of lanes place there. */
import { threadId } from 'node:worker_threads'
import { type Behavior, behavior, type Ref, type ReplyTo } from 'spimpl-runtime'

export type Echo =
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'thread'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'cause'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'length'; readonly bytes: Uint8Array; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'back'; readonly bytes: Uint8Array; readonly to: Ref<Sink> }
  | { readonly type: 'introduce'; readonly to: Ref<Sink> }
  | { readonly type: 'child'; readonly to: Ref<Sink> }
  | { readonly type: 'outcome'; readonly of: Ref<Echo>; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'crash' }
  | { readonly type: 'leave' }
  | { readonly type: 'die' }
  | { readonly type: 'spin'; readonly ms: number }

export type Sink =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'met'; readonly who: Ref<Echo> }
  | { readonly type: 'number'; readonly n: number }

export function echo(start: number): Behavior<Echo> {
  return behavior<Echo>(context => {
    let n = start
    return {
      add: ({ by }) => {
        n += by
      },
      read: ({ replyTo }) => void replyTo.tell(n),
      thread: ({ replyTo }) => void replyTo.tell(threadId),
      cause: ({ replyTo }) => void replyTo.tell(context.cause),
      length: ({ bytes, replyTo }) => void replyTo.tell(bytes.byteLength),
      back: ({ bytes, to }) => void to.tell({ type: 'bytes', bytes }),
      introduce: ({ to }) => void to.tell({ type: 'met', who: context.self }),
      child: ({ to }) => void to.tell({ type: 'met', who: context.spawn(echo(1)) }),
      outcome: ({ of, replyTo }) =>
        of
          .ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 60_000 })
          .then(
            number => void replyTo.tell(String(number)),
            error => void replyTo.tell(error.code),
          ),
      crash: () => {
        throw new RangeError('crashed on its lane')
      },
      leave: () => context.stop(),
      die: () => process.exit(3),
      spin: ({ ms }) => {
        const untilMs = performance.now() + ms
        while (performance.now() < untilMs) Math.sqrt(2)
      },
    }
  })
}

export type Relay = { readonly type: 'relay'; readonly n: number; readonly to: Ref<Sink> }

/** Passes on what it is told, and when it is stopped still passes on what waits. */
export const relay = behavior<Relay>(() => ({ relay: ({ n, to }) => void to.tell({ type: 'number', n }) }))

export const notABehavior = 42
