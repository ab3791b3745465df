import type * as rpc from '../../src/rpc/node-api.ts'
import { NETWORK_TIMEOUT_MS, type NodeApiOptions, type NodeAsks } from './node-asks.ts'

/** What `discv5_*` asks. */
export function discoveryApi({ refs }: NodeApiOptions, asks: NodeAsks): rpc.DiscoveryApi {
  const { discovery } = asks
  return {
    routingTable: async call => asks.view(await discovery(replyTo => ({ type: 'buckets', replyTo }), call)),
    async addRecord(record) {
      return refs.discovery.tell({ type: 'add-record', record })
    },
    findRecord: (nodeId, call) => asks.findDiscovered(nodeId, call),
    removeRecord: (nodeId, call) => asks.removeDiscovered(nodeId, call),
    lookupRecord: (nodeId, call) => discovery(replyTo => ({ type: 'resolve', nodeId, replyTo }), call),
    findNodes: (to, distances, call) => discovery(replyTo => ({ type: 'find-nodes', to, distances, replyTo }), call),
    recursiveFindNodes: (target, call) =>
      discovery(replyTo => ({ type: 'lookup', target, replyTo }), call, NETWORK_TIMEOUT_MS),
    localRecord: call => asks.ownRecord(call),
    updateRecord: (entries, call) => discovery(replyTo => ({ type: 'set-record', entries, replyTo }), call),
    async ping(to, call) {
      const pong = await discovery(replyTo => ({ type: 'ping', to, replyTo }), call)
      return { enrSeq: pong.enrSeq, recipientIp: pong.ip, recipientPort: pong.port }
    },
    talk: (to, protocol, payload, call) =>
      discovery(replyTo => ({ type: 'ask-talk', to, protocol, payload, replyTo }), call),
  }
}
