import { behavior, type Handlers, type Ref, type ReplyTo } from 'spimpl-runtime'
import { toHex } from '../src/codec/hex.ts'
import { type ErrorCode, SpimplError } from '../src/errors.ts'
import type { ContentStore, PutOutcome } from '../src/store/content-store.ts'
import { WriteReport } from '../src/store/write-report.ts'
import { type Open, onceOpen, Resource } from './resource.ts'

/** Answers to messages that carry a `ref`. */
export type StorageAnswer =
  | { readonly type: 'content-read'; readonly ref: number; readonly content: Uint8Array | undefined }
  | { readonly type: 'content-kept'; readonly ref: number; readonly outcome: PutOutcome }
  /** Nothing was written. */
  | { readonly type: 'keep-failed'; readonly ref: number; readonly code: ErrorCode }
  /** For each content id, in order, whether the store has it. */
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

interface Item {
  readonly contentId: Uint8Array
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What storage takes: questions of other actors, which carry a `ref`, and of programs, which carry a `replyTo`. */
export type StorageMessage =
  | { readonly type: 'read'; readonly ref: number; readonly contentId: Uint8Array; readonly client: Ref<StorageAnswer> }
  | ({ readonly type: 'keep'; readonly ref: number; readonly client: Ref<StorageAnswer> } & Item)
  | {
      readonly type: 'holds'
      readonly ref: number
      readonly contentIds: readonly Uint8Array[]
      readonly client: Ref<StorageAnswer>
    }
  | { readonly type: 'get'; readonly contentId: Uint8Array; readonly replyTo: ReplyTo<Uint8Array | undefined> }
  | ({ readonly type: 'put'; readonly replyTo: ReplyTo<PutOutcome> } & Item)
  /** Items that are no longer valid. They are removed before later puts are written. */
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
    let report = new WriteReport(0n)

    const announce = (to: readonly Ref<RadiusChanged>[]): void => {
      for (const watcher of to) watcher.tell({ type: 'radius-changed', radius: report.radius })
    }

    const changed = (contentId: Uint8Array, key: Uint8Array, bytes: number, { stored, evicted }: PutOutcome): void => {
      for (const watcher of contentWatchers) {
        if (stored) watcher.tell({ type: 'content-stored', contentId, key, bytes })
        for (const id of evicted) watcher.tell({ type: 'content-evicted', contentId: id })
      }
    }

    /** Does not suspend the queue: reads go on while the transaction is written. */
    const put = (
      { contentId, key, value }: Item,
      kept: (outcome: PutOutcome) => void,
      failed: (error: SpimplError) => void,
    ): void => {
      const bytes = value.length
      store()
        .put(contentId, key, value)
        .then(
          outcome => {
            const { hasRecovered, isNewRadius } = report.succeeded(store().radius)
            if (hasRecovered) context.log.info('content is stored again')
            if (isNewRadius) announce(watchers)
            changed(contentId, key, bytes, outcome)
            kept(outcome)
          },
          (cause: unknown) => {
            const error =
              cause instanceof SpimplError ? cause : new SpimplError('STORE_FAILED', String(cause), { cause })
            if (report.failed(error.code)) context.log.error('content is not stored until it can be written', { error })
            failed(error)
          },
        )
    }

    const discard = (id: Uint8Array): void => {
      const contentId = toHex(id)
      store()
        .delete(id)
        .then(
          existed => existed && context.log.info('content was dropped: its block was replaced', { contentId }),
          (error: unknown) =>
            context.log.error('content of a block that was replaced is still stored', { contentId, error }),
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
      discard: ({ contentIds }) => contentIds.forEach(discard),
      'watch-radius': ({ watcher }) => {
        watchers = [...watchers.filter(known => known.path !== watcher.path), watcher]
        announce([watcher])
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
      report = new WriteReport(opened.current?.radius ?? 0n)
    })
  })
}
