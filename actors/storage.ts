import { behavior, type Handlers, type Ref, type ReplyTo } from 'spimpl-runtime'
import { toHex } from '../src/codec/hex.ts'
import { type ErrorCode, SpimplError } from '../src/errors.ts'
import type { ContentStore, PutOutcome } from '../src/store/content-store.ts'
import { type Open, onceOpen, Resource } from './resource.ts'

/** What storage answers to messages that carry a `ref`. */
export type StorageAnswer =
  | { readonly type: 'content-read'; readonly ref: number; readonly content: Uint8Array | undefined }
  | { readonly type: 'content-kept'; readonly ref: number; readonly outcome: PutOutcome }
  /** Nothing was written. */
  | { readonly type: 'keep-failed'; readonly ref: number; readonly code: ErrorCode }
  /** For each content id, in order, whether it is here. */
  | { readonly type: 'presence'; readonly ref: number; readonly present: readonly boolean[] }

/** Told at the start of the watch, and whenever the radius is another one. */
export interface RadiusChanged {
  readonly type: 'radius-changed'
  /** The distance up to which content is wanted, 0 to 2^256 - 1. */
  readonly radius: bigint
}

/** What storage tells those who watch its content. */
export type ContentChange =
  | {
      readonly type: 'content-stored'
      readonly contentId: Uint8Array
      readonly key: Uint8Array
      /** Length of the content. */
      readonly bytes: number
    }
  /** It was the furthest when a closer item needed its room. */
  | { readonly type: 'content-evicted'; readonly contentId: Uint8Array }

export interface StorageSnapshot {
  readonly usedBytes: number
  readonly capacityBytes: number
  readonly count: number
  readonly radius: bigint
}

/** What storage is told and asked: reads, puts, and who watches it. */
export type StorageMessage =
  | { readonly type: 'read'; readonly ref: number; readonly contentId: Uint8Array; readonly client: Ref<StorageAnswer> }
  | {
      readonly type: 'keep'
      readonly ref: number
      readonly contentId: Uint8Array
      readonly key: Uint8Array
      readonly value: Uint8Array
      readonly client: Ref<StorageAnswer>
    }
  | {
      readonly type: 'holds'
      readonly ref: number
      readonly contentIds: readonly Uint8Array[]
      readonly client: Ref<StorageAnswer>
    }
  | { readonly type: 'get'; readonly contentId: Uint8Array; readonly replyTo: ReplyTo<Uint8Array | undefined> }
  | {
      readonly type: 'put'
      readonly contentId: Uint8Array
      readonly key: Uint8Array
      readonly value: Uint8Array
      readonly replyTo: ReplyTo<PutOutcome>
    }
  /** Items that are valid no more. They go before what is put after them comes. */
  | { readonly type: 'discard'; readonly contentIds: readonly Uint8Array[] }
  | { readonly type: 'watch-radius'; readonly watcher: Ref<RadiusChanged> }
  | { readonly type: 'watch-content'; readonly watcher: Ref<ContentChange> }
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<StorageSnapshot> }

/** What storage needs of a store: it never walks over it. */
export type ServedStore = Omit<ContentStore, 'entries' | 'furthest'>

/** Owns the content store. Puts of one turn share a transaction: an answer comes when it is durable. */
export function storage(options: { readonly open: () => Promise<ServedStore> }) {
  const opened = new Resource(options.open)
  const store = (): ServedStore => opened.get()

  return behavior<StorageMessage | Open>(context => {
    let watchers: readonly Ref<RadiusChanged>[] = []
    let contentWatchers: readonly Ref<ContentChange>[] = []
    let announced = 0n
    /** Whether the last write failed. An operator is told when that changes, and not of each write on a full disk. */
    let failing = false

    const announce = (): void => {
      const { radius } = store()
      if (radius === announced) return
      announced = radius
      for (const watcher of watchers) watcher.tell({ type: 'radius-changed', radius: announced })
    }

    const changed = (contentId: Uint8Array, key: Uint8Array, bytes: number, { stored, evicted }: PutOutcome): void => {
      for (const watcher of contentWatchers) {
        if (stored) watcher.tell({ type: 'content-stored', contentId, key, bytes })
        for (const id of evicted) watcher.tell({ type: 'content-evicted', contentId: id })
      }
    }

    /** Does not suspend the queue: reads go on while the transaction is written. */
    const put = (
      {
        contentId,
        key,
        value,
      }: { readonly contentId: Uint8Array; readonly key: Uint8Array; readonly value: Uint8Array },
      kept: (outcome: PutOutcome) => void,
      failed: (error: SpimplError) => void,
    ): void => {
      const bytes = value.length
      store()
        .put(contentId, key, value)
        .then(
          outcome => {
            if (failing) context.log.info('content is stored again')
            failing = false
            announce()
            changed(contentId, key, bytes, outcome)
            kept(outcome)
          },
          (cause: unknown) => {
            const error =
              cause instanceof SpimplError ? cause : new SpimplError('STORE_FAILED', String(cause), { cause })
            if (!failing && error.code === 'STORE_FAILED') {
              failing = true
              context.log.error('content is not stored until it can be written', { error })
            }
            failed(error)
          },
        )
    }

    context.onStop(() => opened.take()?.close())

    const handlers: Handlers<StorageMessage> = {
      read: ({ ref, contentId, client }) => {
        client.tell({ type: 'content-read', ref, content: store().get(contentId)?.value })
      },
      keep: message => {
        const { ref, client } = message
        put(
          message,
          outcome => client.tell({ type: 'content-kept', ref, outcome }),
          error => client.tell({ type: 'keep-failed', ref, code: error.code }),
        )
      },
      holds: ({ ref, contentIds, client }) => {
        client.tell({ type: 'presence', ref, present: contentIds.map(contentId => store().has(contentId)) })
      },
      get: ({ contentId, replyTo }) => {
        replyTo.tell(store().get(contentId)?.value)
      },
      put: message => {
        const { replyTo } = message
        put(
          message,
          outcome => {
            replyTo.tell(outcome)
          },
          error => replyTo.fail(error),
        )
      },
      discard: ({ contentIds }) => {
        for (const contentId of contentIds) {
          const about = { contentId: toHex(contentId) }
          store()
            .delete(contentId)
            .then(
              existed => existed && context.log.info('content was dropped: its block was replaced', about),
              (error: unknown) =>
                context.log.error('content of a block that was replaced is still stored', { ...about, error }),
            )
        }
      },
      'watch-radius': ({ watcher }) => {
        watchers = [...watchers.filter(known => known.path !== watcher.path), watcher]
        watcher.tell({ type: 'radius-changed', radius: announced })
      },
      'watch-content': ({ watcher }) => {
        contentWatchers = [...contentWatchers.filter(known => known.path !== watcher.path), watcher]
      },
      snapshot: ({ replyTo }) => {
        opened.answer(replyTo, ({ usedBytes, capacityBytes, count, radius }) => ({
          usedBytes,
          capacityBytes,
          count,
          radius,
        }))
      },
    }
    return onceOpen(context, opened, handlers, () => {
      announced = opened.current?.radius ?? 0n
    })
  })
}
