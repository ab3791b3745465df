import type { PublishableRecord } from '../../src/identity/publishable-record.ts'
import type { RecordDecoder } from '../../src/identity/record-decoder.ts'
import type { NodeApi } from '../../src/rpc/node-api.ts'
import { Arguments } from './arguments.ts'
import { discoveryApi } from './discovery-api.ts'
import { historyApi } from './history-api.ts'
import { NodeAsks, type NodeRefs } from './node-asks.ts'

/** What the API of a node needs beside its actors. */
export interface ApiParts {
  readonly record: PublishableRecord
  readonly records: RecordDecoder
  readonly clientVersion: string
  /** Milliseconds since the Unix epoch. */
  readonly wallTime: () => number
}

/** What programs and JSON-RPC methods ask of a node, as messages to its actors. */
export function nodeApi(refs: NodeRefs, { record, records, clientVersion, wallTime }: ApiParts): NodeApi {
  const options = { refs, localNodeId: record.current.nodeIdHex, args: new Arguments(records), wallTime }
  const asks = new NodeAsks(options)
  return {
    clientVersion,

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
