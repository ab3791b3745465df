import { backendInfo, DispatchQueue } from 'node-dispatch-addon'
import { behavior, type ReplyTo } from 'spimpl-runtime'

export interface Where {
  readonly type: 'where'
  readonly replyTo: ReplyTo<{
    readonly root: string | undefined
    readonly insideOfIt: boolean
    readonly order: number[]
  }>
}

export type Placed = Where | { readonly type: 'count'; readonly n: number } | { readonly type: 'crash' }

/** Says how its thread is served by libdispatch, and what it was told before. */
export const placed = behavior<Placed>(() => {
  const order: number[] = []
  return {
    where: ({ replyTo }) => {
      replyTo.tell({ root: backendInfo().libdispatch.root, insideOfIt: DispatchQueue.main.isCurrent, order })
    },
    count: ({ n }) => void order.push(n),
    crash: () => process.exit(3),
  }
})
