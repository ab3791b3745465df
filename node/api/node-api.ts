import type { NodeApi } from '../../src/rpc/node-api.ts'
import { discoveryApi } from './discovery-api.ts'
import { historyApi } from './history-api.ts'
import { type NodeApiOptions, NodeAsks } from './node-asks.ts'

/** What programs and JSON-RPC methods ask of a node, as messages to its actors. */
export function nodeApi(options: NodeApiOptions): NodeApi {
  const asks = new NodeAsks(options)
  return {
    clientVersion: options.clientVersion,

    async health(call = {}) {
      const [store, table] = await Promise.all([
        asks.storage(replyTo => ({ type: 'snapshot', replyTo }), call),
        asks.overlay(replyTo => ({ type: 'snapshot', replyTo }), call),
      ])
      const { usedBytes, count, radius } = store
      return { ready: true, peers: table.members, items: count, usedBytes, radius: `0x${radius.toString(16)}` }
    },

    discovery: discoveryApi(options, asks),
    history: historyApi(options, asks),
  }
}
