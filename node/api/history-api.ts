import { toHex } from '../../src/codec/hex.ts'
import { type ErrorCode, type Result, SpimplError } from '../../src/errors.ts'
import { blamesContent } from '../../src/history/validation/validation.ts'
import type { CallResult } from '../../src/portal/portal.ts'
import type * as rpc from '../../src/rpc/node-api.ts'
import { NETWORK_TIMEOUT_MS, type NodeApiOptions, type NodeAsks } from './node-asks.ts'
import { type NetworkCall, overlayCall } from './overlay-call.ts'
import { fromPayload, toCounts, toPayload, toTrace } from './rpc-values.ts'

/** What `portal_history*` asks. */
export function historyApi(options: NodeApiOptions, asks: NodeAsks): rpc.HistoryApi {
  const { refs, localNodeId, contentId, wallTime } = options
  const { overlay, storage, validation } = asks

  const network = <Type extends CallResult['type']>(
    call: NetworkCall,
    { signal }: rpc.Call,
    ...types: readonly Type[]
  ): Promise<Extract<CallResult, { readonly type: Type }>> =>
    overlayCall(refs.overlay, call, { timeoutMs: NETWORK_TIMEOUT_MS, signal }, types)

  const idOf = (key: Uint8Array): Uint8Array => {
    const id = contentId(key)
    if (id !== undefined) return id
    throw new SpimplError('CONTENT_KEY_INVALID', `expected a content key of the history network, got ${toHex(key)}`)
  }

  const stored = (key: Uint8Array, call: rpc.Call): Promise<Uint8Array | undefined> =>
    storage<Uint8Array | undefined>(replyTo => ({ type: 'get', contentId: idOf(key), replyTo }), call)

  const validate = async (key: Uint8Array, bytes: Uint8Array, call: rpc.Call): Promise<void> => {
    idOf(key) // a key that is none is not the content's fault
    const result = await validation<Result<unknown>>(replyTo => ({ type: 'check', key, bytes, replyTo }), call)
    if (result.ok) return
    const { code, detail } = result
    if (!blamesContent(code)) throw new SpimplError(code, detail)
    throw new SpimplError('CONTENT_INVALID', `${code}: ${detail}`)
  }

  const put = async (key: Uint8Array, value: Uint8Array, call: rpc.Call): Promise<boolean> => {
    await validate(key, value, call)
    const contentId = idOf(key)
    const outcome = await storage<{ readonly stored: boolean }>(
      replyTo => ({ type: 'put', contentId, key, value, replyTo }),
      call,
    )
    return outcome.stored
  }

  return {
    routingTable: async call =>
      asks.view(await overlay<readonly (readonly string[])[]>(replyTo => ({ type: 'buckets', replyTo }), call)),
    async addRecord(record, call) {
      refs.discovery.tell({ type: 'add-record', record })
      return (await network({ type: 'add-record', record }, call, 'record-added')).added
    },
    findRecord: (nodeId, call) => asks.findRecord(nodeId, call),
    /** From both tables, as `addRecord` puts it into both: `findRecord` looks into both. */
    async removeRecord(nodeId, call) {
      await asks.removeDiscovered(nodeId, call)
      return (await network({ type: 'remove-record', nodeIdHex: toHex(nodeId) }, call, 'record-removed')).removed
    },
    async lookupRecord(nodeId, call) {
      if (toHex(nodeId) === toHex(localNodeId)) return asks.ownRecord(call)
      return (await network({ type: 'lookup-record', nodeId }, call, 'record-found')).record
    },
    async findNodes(to, distances, call) {
      return (await network({ type: 'find-nodes', to, distances }, call, 'nodes')).records
    },
    async recursiveFindNodes(target, call) {
      return (await network({ type: 'lookup-nodes', target }, call, 'nodes')).records
    },
    async ping(to, payloadType, payload, call) {
      const own = payload === undefined ? undefined : toPayload(payload)
      const pong = await network({ type: 'ping', to, payloadType, payload: own }, call, 'pong')
      return { enrSeq: pong.enrSeq, payload: fromPayload(pong.payload) }
    },
    async findContent(to, key, call) {
      const answer = await network({ type: 'find-content', to, key }, call, 'found', 'nodes')
      if (answer.type === 'nodes') return { type: 'records', records: answer.records }
      return { type: 'content', content: answer.content, utpTransfer: answer.utpTransfer }
    },
    async offer(to, items, call) {
      const offered = items.map(({ key, value }) => ({ key, content: value }))
      return (await network({ type: 'offer', to, items: offered }, call, 'offered')).codes
    },
    async getContent(key, call) {
      const local = await stored(key, call)
      if (local !== undefined) return { content: local, utpTransfer: false }
      try {
        const { content, utpTransfer } = await network({ type: 'lookup-content', key }, call, 'found')
        return { content, utpTransfer }
      } catch (error) {
        if (hasCode(error, 'CONTENT_NOT_FOUND')) return undefined
        throw error
      }
    },
    async traceGetContent(key, call) {
      const startedAtMs = wallTime()
      const origin = toHex(localNodeId)
      const targetId = idOf(key)
      const local = await stored(key, call)
      if (local !== undefined) {
        const responses = new Map([[origin, { durationMs: 0, respondedWith: [] }]])
        const metadata = await ownMetadata(targetId, call)
        const trace = { origin, targetId, receivedFrom: origin, responses, metadata, cancelled: [], startedAtMs }
        return { content: local, utpTransfer: false, trace }
      }
      const result = await network({ type: 'lookup-content', key, startedAtMs }, call, 'found', 'failed')
      if (result.trace === undefined) throw new SpimplError('CONTENT_NOT_FOUND', 'the lookup brought no trace')
      const trace = toTrace(result.trace, targetId)
      if (result.type === 'found') return { content: result.content, utpTransfer: result.utpTransfer, trace }
      return { content: undefined, utpTransfer: false, trace }
    },
    store: put,
    localContent: stored,
    async putContent(key, value, call) {
      const storedLocally = await put(key, value, call)
      const content = storedLocally ? undefined : value
      const { peerCount, acceptMetadata } = await network(
        { type: 'gossip', key, content, lookup: true },
        call,
        'gossiped',
      )
      return { storedLocally, peerCount, ...toCounts(acceptMetadata) }
    },
  }

  async function ownMetadata(
    targetId: Uint8Array,
    call: rpc.Call,
  ): Promise<ReadonlyMap<string, { readonly enr: string; readonly distance: bigint }>> {
    const record = await asks.ownRecord(call)
    const distance = BigInt(toHex(targetId)) ^ BigInt(toHex(localNodeId))
    return new Map([[record.nodeIdHex, { enr: record.text, distance }]])
  }
}

const hasCode = (error: unknown, code: ErrorCode): boolean => error instanceof SpimplError && error.code === code
