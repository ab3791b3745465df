import { z } from 'zod'
import { parseAddress } from '../../identity/ip-address.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordChanges } from '../../identity/publishable-record.ts'
import { HexText } from '../dispatching/json-writer.ts'
import type { NodeApi } from '../node-api.ts'
import { type Method, method, NONE } from './method.ts'
import { distances, hexBytes, nodeRecord, type ParseRecord } from './parameters.ts'
import { recordTexts } from './results.ts'
import { routingMethods } from './routing-methods.ts'

/** A TALKREQ must fit into one packet of 1,280 bytes. */
const MAX_TALK_BYTES = 1280
const MAX_RECORD_PAIRS = 16
const SOCKET_ADDRESS = 'expected an address and a port (192.0.2.1:9009), or pairs of key and hex value'

/** jsonrpc/src/methods/discv5.json. */
export function discoveryMethods(api: NodeApi, parseRecord: ParseRecord): Method[] {
  const { discovery } = api
  const enr = nodeRecord(parseRecord)
  return [
    method('discv5_nodeInfo', 'The own record and node id', NONE, async (_, call) =>
      nodeInfo(await discovery.localRecord(call)),
    ),
    method(
      'discv5_updateNodeInfo',
      'Sets the address, or other entries, of the own record',
      {
        socketAddr: z.union([socketAddress(), recordPairs()], { error: SOCKET_ADDRESS }),
        isTcp: z.boolean().optional(),
      },
      async ({ socketAddr, isTcp }, call) => {
        const changes = 'address' in socketAddr ? addressChanges(socketAddr, isTcp ?? false) : socketAddr.pairs
        const record = await discovery.updateRecord(changes, call)
        return { ...nodeInfo(record), localNodeId: record.nodeIdHex }
      },
    ),
    ...routingMethods(verb => `discv5_${verb}`, discovery, parseRecord),
    method('discv5_ping', 'Sends a PING and returns its PONG', { enr }, async ({ enr }, call) => {
      const pong = await discovery.ping(enr, call)
      // The schema has the port as a string of digits (jsonrpc/src/schemas/portal.json, udpPort).
      return { enrSeq: pong.enrSeq, recipientIP: pong.recipientIp, recipientPort: String(pong.recipientPort) }
    }),
    method(
      'discv5_findNode',
      'Sends a FINDNODE and returns the records of its NODES',
      { enr, distances: distances() },
      async (given, call) => recordTexts(await discovery.findNodes(given.enr, given.distances, call)),
    ),
    method(
      'discv5_talkReq',
      'Sends a TALKREQ and returns the payload of its TALKRESP',
      { enr, protocolId: hexBytes({ max: MAX_TALK_BYTES }), talkReqPayload: hexBytes({ max: MAX_TALK_BYTES }) },
      async ({ enr, protocolId, talkReqPayload }, call) =>
        new HexText(await discovery.talk(enr, protocolId, talkReqPayload, call)),
    ),
  ]
}

const nodeInfo = (record: NodeRecord) => ({ enr: record.text, nodeId: record.nodeIdHex })

interface SocketAddress {
  readonly address: Uint8Array
  readonly port: number
}

/** `192.0.2.1:9009` or `[2001:db8::1]:9009`; the pattern of the schema has a slash in front. */
function socketAddress() {
  return z.string().transform((text, context): SocketAddress => {
    const [, host6, host4, digits] = /^\/?(?:\[([^\]]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? []
    const address = parseAddress(host6 ?? host4 ?? '')
    const port = Number(digits)
    if (address !== undefined && port >= 1 && port <= 0xffff) return { address, port }
    context.addIssue({ code: 'custom', message: SOCKET_ADDRESS })
    return z.NEVER
  })
}

/** Not in the specification: the form that nimbus_portal_client takes, for any key of the record. */
function recordPairs() {
  const pair = z.tuple([z.string().min(1).max(32), hexBytes({ max: 256 })])
  return z
    .array(pair)
    .min(1)
    .max(MAX_RECORD_PAIRS)
    .transform(pairs => ({ pairs: Object.fromEntries(pairs) }))
}

function addressChanges({ address, port }: SocketAddress, isTcp: boolean): RecordChanges {
  const suffix = address.length === 4 ? '' : '6'
  return { [`ip${suffix}`]: address, [`${isTcp ? 'tcp' : 'udp'}${suffix}`]: port }
}
