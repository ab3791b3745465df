import type { DiscoveryApi } from '../../src/rpc/node-api.ts'
import { NETWORK_TIMEOUT_MS, type NodeApiOptions, type NodeAsks } from './node-asks.ts'

/** `NodeApi.discovery` as asks of the discovery actor. */
export function discoveryApi({ refs, args }: NodeApiOptions, asks: NodeAsks): DiscoveryApi {
  const { discovery } = asks
  return {
    async table(call = {}) {
      return asks.view(await discovery(replyTo => ({ type: 'buckets', replyTo }), call))
    },
    async addRecord(record) {
      return refs.discovery.tell({ type: 'add-record', record: args.record(record) })
    },
    async findRecord(nodeId, call = {}) {
      return asks.findDiscovered(args.nodeIdHex(nodeId), call)
    },
    async removeRecord(nodeId, call = {}) {
      return asks.removeDiscovered(args.nodeIdHex(nodeId), call)
    },
    async lookupRecord(nodeId, call = {}) {
      const id = args.nodeId(nodeId)
      return discovery(replyTo => ({ type: 'resolve', nodeId: id, replyTo }), call)
    },
    async findNodes(peer, distances, call = {}) {
      const to = args.record(peer)
      return discovery(replyTo => ({ type: 'find-nodes', to, distances, replyTo }), call)
    },
    async lookup(nodeId, call = {}) {
      const target = args.nodeId(nodeId)
      return discovery(replyTo => ({ type: 'lookup', target, replyTo }), call, NETWORK_TIMEOUT_MS)
    },
    async localRecord(call = {}) {
      return asks.ownRecord(call)
    },
    async updateRecord(entries, call = {}) {
      return discovery(replyTo => ({ type: 'set-record', entries, replyTo }), call)
    },
    async ping(peer, call = {}) {
      const to = args.record(peer)
      const pong = await discovery(replyTo => ({ type: 'ping', to, replyTo }), call)
      return { enrSeq: pong.enrSeq, recipientIp: pong.ip, recipientPort: pong.port }
    },
    async talk(peer, protocol, payload, call = {}) {
      const to = args.record(peer)
      return discovery(replyTo => ({ type: 'ask-talk', to, protocol, payload, replyTo }), call)
    },
  }
}
