import { RpcCode, RpcError } from '../dispatching/rpc-errors.ts'
import type { RoutingApi } from '../node-api.ts'
import { type Method, method, NONE } from './method.ts'
import { nodeId, nodeRecord, type ParseRecord } from './parameters.ts'
import { recordTexts, routingTableInfo } from './results.ts'

/** Makes the name of a method: `addEnr` is `discv5_addEnr` in discovery and `portal_historyAddEnr` in a sub-network. */
export type Naming = (verb: string) => string

const unknownNode = (message: string): RpcError => new RpcError(RpcCode.failed, message, { code: 'PEER_UNKNOWN' })

/** The methods on a routing table: the same for discovery and for each sub-network. */
export function routingMethods(name: Naming, routing: RoutingApi, parseRecord: ParseRecord): Method[] {
  const enr = nodeRecord(parseRecord)
  return [
    method(name('routingTableInfo'), 'The routing table', NONE, async (_, call) =>
      routingTableInfo(await routing.table(call)),
    ),
    method(name('addEnr'), 'Adds a record to the routing table', { enr }, ({ enr }, call) =>
      routing.addRecord(enr, call),
    ),
    method(name('getEnr'), 'The newest record known to this node', { nodeId: nodeId() }, async ({ nodeId }, call) => {
      const record = await routing.findRecord(nodeId, call)
      if (record === undefined) throw unknownNode('expected a node of the local routing table, got an unknown node id')
      return record.text
    }),
    method(name('deleteEnr'), 'Removes a node from the routing table', { nodeId: nodeId() }, ({ nodeId }, call) =>
      routing.removeRecord(nodeId, call),
    ),
    method(
      name('lookupEnr'),
      'The newest record known to the network',
      { nodeId: nodeId() },
      async ({ nodeId }, call) => {
        const record = await routing.lookupRecord(nodeId, call)
        if (record === undefined) throw unknownNode('no node of the network knows a record of this node id')
        return record.text
      },
    ),
    method(
      name('recursiveFindNodes'),
      'Looks up the nodes closest to a node id',
      { nodeId: nodeId() },
      async ({ nodeId }, call) => recordTexts(await routing.lookup(nodeId, call)),
    ),
  ]
}
