import { z } from 'zod'
import { HexText } from '../dispatching/json-writer.ts'
import { RpcCode, RpcError } from '../dispatching/rpc-errors.ts'
import type { NodeApi, PingOptions } from '../node-api.ts'
import { type Method, method } from './method.ts'
import {
  contentItems,
  contentKey,
  contentValue,
  distances,
  nodeRecord,
  type ParseRecord,
  pingPayloads,
  uint16,
} from './parameters.ts'
import { contentInfo, pong, putContentInfo, recordTexts, traceInfo } from './results.ts'
import { routingMethods } from './routing-methods.ts'

/** jsonrpc/src/methods/history.json: 15 methods. */
export function historyMethods(api: NodeApi, parseRecord: ParseRecord): Method[] {
  const { history } = api
  const enr = nodeRecord(parseRecord)
  const key = contentKey()
  const value = contentValue()
  const name = (verb: string): string => `portal_history${verb.charAt(0).toUpperCase()}${verb.slice(1)}`
  return [
    ...routingMethods(name, history, parseRecord),
    method(
      name('ping'),
      'Sends a PING and returns its PONG',
      { enr, payloadType: uint16().optional(), payload: z.unknown() },
      async ({ enr, payloadType, payload }, call) =>
        pong(await history.ping(enr, { ...pingRequest(payloadType, payload), ...call })),
    ),
    method(
      name('findNodes'),
      'Sends a FINDNODES and returns the records of its NODES',
      { enr, distances: distances() },
      async (given, call) => recordTexts(await history.findNodes(given.enr, given.distances, call)),
    ),
    method(
      name('findContent'),
      'Sends a FINDCONTENT and returns the content or the closer nodes',
      { enr, contentKey: key },
      async (given, call) => {
        const answer = await history.findContent(given.enr, given.contentKey, call)
        return answer.type === 'found' ? contentInfo(answer) : { enrs: recordTexts(answer.records) }
      },
    ),
    method(
      name('offer'),
      'Offers content, sends what is accepted, and returns the accept codes',
      { enr, content_items: contentItems() },
      async (given, call) => new HexText(await history.offer(given.enr, given.content_items, call)),
    ),
    method(
      name('getContent'),
      'Content from the own store or from the network',
      { contentKey: key },
      async (given, call) => {
        const answer = await history.get(given.contentKey, call)
        if (answer === undefined) throw contentNotFound()
        return contentInfo(answer)
      },
    ),
    method(
      name('traceGetContent'),
      'Content, with a trace of the nodes that were asked',
      { contentKey: key },
      async (given, call) => {
        const { content, utpTransfer, trace } = await history.trace(given.contentKey, call)
        if (content !== undefined) return { ...contentInfo({ content, utpTransfer }), trace: traceInfo(trace) }
        throw new RpcError(RpcCode.contentNotFoundWithTrace, 'content not found', traceInfo(trace))
      },
    ),
    method(name('store'), 'Validates content and stores it', { contentKey: key, contentValue: value }, (given, call) =>
      history.store(given.contentKey, given.contentValue, call),
    ),
    method(name('localContent'), 'Content of the own store', { contentKey: key }, async (given, call) => {
      const content = await history.local(given.contentKey, call)
      if (content === undefined) throw contentNotFound()
      return new HexText(content)
    }),
    method(
      name('putContent'),
      'Validates content, stores it and gossips it',
      { contentKey: key, contentValue: value },
      async (given, call) => putContentInfo(await history.put(given.contentKey, given.contentValue, call)),
    ),
  ]
}

const contentNotFound = (): RpcError => new RpcError(RpcCode.contentNotFound, 'content not found')

const notSupported = (reason: 'client' | 'subnetwork'): RpcError =>
  new RpcError(RpcCode.payloadTypeNotSupported, 'Payload type not supported', { reason })

/** Types of ping-extensions/extensions.md that the history network does not list for its pings. */
const HISTORY_RADIUS = 2
const ERROR_PAYLOAD = 65535

/** The rules of `portal_historyPing` in the specification, with their errors -39004 to -39007. */
function pingRequest(type: number | undefined, payload: unknown): PingOptions {
  if (type === undefined) {
    if (payload === undefined) return { payloadType: 0 }
    throw new RpcError(RpcCode.payloadTypeRequired, 'Payload type is required if payload is specified')
  }
  if (type === ERROR_PAYLOAD && payload !== undefined) {
    // An error is an answer to a ping: nobody may send one as a ping in our name.
    const message = 'The client has blocked users from specifying the payload for this extension'
    throw new RpcError(RpcCode.payloadBlocked, message)
  }
  if (type === HISTORY_RADIUS || type === ERROR_PAYLOAD) throw notSupported('subnetwork')
  if (type !== 0 && type !== 1) throw notSupported('client')
  if (payload === undefined) return { payloadType: type }
  const parsed = pingPayloads[type].safeParse(payload)
  if (parsed.success) return { payloadType: type, payload: parsed.data }
  const { path, message } = parsed.error.issues[0]!
  const data = { detail: `${['payload', ...path].join('.')}: ${message}` }
  throw new RpcError(RpcCode.payloadMalformed, 'Failed to decode payload', data)
}
