import { lend } from 'spimpl-runtime'
import { toHex } from '../../src/codec/hex.ts'
import { SpimplError } from '../../src/errors.ts'
import { blamesContent } from '../../src/history/validation/validation.ts'
import { xorDistance } from '../../src/identity/distances.ts'
import type { CallResult, ContentTrace } from '../../src/portal/portal.ts'
import type { CallOptions, HistoryApi, TracedContent } from '../../src/rpc/node-api.ts'
import type { NamedContent } from './arguments.ts'
import { askOptions, NETWORK_TIMEOUT_MS, type NodeApiOptions, type NodeAsks } from './node-asks.ts'
import { type NetworkCall, overlayCall } from './overlay-call.ts'

/** `NodeApi.history` as asks of the overlay, validation and storage actors. */
export function historyApi(options: NodeApiOptions, asks: NodeAsks): HistoryApi {
  const { refs, localNodeId, args, wallTime } = options
  const { overlay, storage, validation } = asks

  const network = <Type extends CallResult['type']>(
    request: NetworkCall,
    call: CallOptions,
    ...types: readonly Type[]
  ): Promise<Extract<CallResult, { readonly type: Type }>> =>
    overlayCall(refs.overlay, request, askOptions(call, NETWORK_TIMEOUT_MS), types)

  const stored = ({ contentId }: NamedContent, call: CallOptions): Promise<Uint8Array | undefined> =>
    storage(replyTo => ({ type: 'get', contentId, replyTo }), call)

  /** @returns whether the store took it */
  const validateAndStore = async (item: NamedContent, content: Uint8Array, call: CallOptions): Promise<boolean> => {
    const { key, contentId } = item
    // Both may be on another thread, and gossip may need it after them.
    const value = lend(content)
    const result = await validation(replyTo => ({ type: 'check', key, bytes: value, replyTo }), call)
    if (!result.ok) {
      const { code, detail } = result
      throw blamesContent(code)
        ? new SpimplError('CONTENT_INVALID', `${code}: ${detail}`)
        : new SpimplError(code, detail)
    }
    const outcome = await storage(replyTo => ({ type: 'put', contentId, key, value, replyTo }), call)
    return outcome.stored
  }

  /** The trace of content that the own store had. */
  const localTrace = async (targetId: Uint8Array, call: CallOptions): Promise<ContentTrace> => {
    const { nodeId, text } = await asks.ownRecord(call)
    return {
      origin: localNodeId,
      targetId: toHex(targetId),
      receivedFrom: localNodeId,
      responses: { [localNodeId]: { durationMs: 0, respondedWith: [] } },
      metadata: { [localNodeId]: { enr: text, distance: toHex(xorDistance(nodeId, targetId)) } },
      startedAtMs: wallTime(),
      cancelled: [],
    }
  }

  return {
    async table(call = {}) {
      return asks.view(await overlay(replyTo => ({ type: 'buckets', replyTo }), call))
    },
    async addRecord(peer, call = {}) {
      const record = args.record(peer)
      refs.discovery.tell({ type: 'add-record', record })
      return (await network({ type: 'add-record', record }, call, 'record-added')).added
    },
    async findRecord(nodeId, call = {}) {
      return asks.findRecord(args.nodeIdHex(nodeId), call)
    },
    /** From both tables: `addRecord` fills both, and `findRecord` looks into both. */
    async removeRecord(nodeId, call = {}) {
      const nodeIdHex = args.nodeIdHex(nodeId)
      await asks.removeDiscovered(nodeIdHex, call)
      return (await network({ type: 'remove-record', nodeIdHex }, call, 'record-removed')).removed
    },
    async lookupRecord(id, call = {}) {
      const nodeId = args.nodeId(id)
      if (toHex(nodeId) === localNodeId) return asks.ownRecord(call)
      return (await network({ type: 'lookup-record', nodeId }, call, 'record-found')).record
    },
    async findNodes(peer, distances, call = {}) {
      return (await network({ type: 'find-nodes', to: args.record(peer), distances }, call, 'nodes')).records
    },
    async lookup(target, call = {}) {
      return (await network({ type: 'lookup-nodes', target: args.nodeId(target) }, call, 'nodes')).records
    },
    async ping(peer, { payloadType, payload, ...call } = {}) {
      const { enrSeq, ...pong } = await network(
        { type: 'ping', to: args.record(peer), payloadType, payload },
        call,
        'pong',
      )
      return { enrSeq, payload: pong.payload }
    },
    async findContent(peer, key, call = {}) {
      const request = { type: 'find-content', to: args.record(peer), key: args.content(key).key } as const
      const answer = await network(request, call, 'found', 'nodes')
      if (answer.type === 'nodes') return { type: 'nodes', records: answer.records }
      return { type: 'found', content: answer.content, utpTransfer: answer.utpTransfer }
    },
    async offer(peer, items, call = {}) {
      const offered = items.map(({ key, content }) => ({ key: args.content(key).key, content: args.bytes(content) }))
      return (await network({ type: 'offer', to: args.record(peer), items: offered }, call, 'offered')).codes
    },
    async get(key, call = {}) {
      const item = args.content(key)
      const local = await stored(item, call)
      if (local !== undefined) return { content: local, utpTransfer: false }
      try {
        const { content, utpTransfer } = await network({ type: 'lookup-content', key: item.key }, call, 'found')
        return { content, utpTransfer }
      } catch (error) {
        if (error instanceof SpimplError && error.code === 'CONTENT_NOT_FOUND') return undefined
        throw error
      }
    },
    async retrieve(key, call = {}) {
      const request = { type: 'lookup-content', key: args.content(key).key } as const
      const { content, utpTransfer, from, queries } = await network(request, call, 'found')
      return { content, utpTransfer, from, queries }
    },
    async trace(key, call = {}): Promise<TracedContent> {
      const item = args.content(key)
      const startedAtMs = wallTime()
      const local = await stored(item, call)
      if (local !== undefined) {
        return { content: local, utpTransfer: false, trace: await localTrace(item.contentId, call) }
      }
      const result = await network({ type: 'lookup-content', key: item.key, startedAtMs }, call, 'found', 'failed')
      const { trace } = result
      if (trace === undefined) throw new SpimplError('CONTENT_NOT_FOUND', 'expected a trace of the lookup, got none')
      if (result.type === 'found') return { content: result.content, utpTransfer: result.utpTransfer, trace }
      return { content: undefined, utpTransfer: false, trace }
    },
    async local(key, call = {}) {
      return stored(args.content(key), call)
    },
    async store(key, content, call = {}) {
      return validateAndStore(args.content(key), args.bytes(content), call)
    },
    async put(key, content, call = {}) {
      const item = args.content(key)
      const storedLocally = await validateAndStore(item, args.bytes(content), call)
      const { peerCount, acceptMetadata } = await network(
        { type: 'gossip', key: item.key, content: storedLocally ? undefined : content, lookup: true },
        call,
        'gossiped',
      )
      return { storedLocally, peerCount, acceptMetadata }
    },
  }
}
