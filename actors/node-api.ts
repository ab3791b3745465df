import { fromHex, toHex } from '../src/codec/hex.ts'
import { type ErrorCode, type Result, SpimplError, unwrap } from '../src/errors.ts'
import { blamesContent } from '../src/history/validation.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { CallResult } from '../src/portal/portal.ts'
import type * as rpc from '../src/rpc/node-api.ts'
import type { Ref, ReplyTo } from '../src/runtime/runtime.ts'
import type { DiscoveryMessage } from './discovery-messages.ts'
import { overlayCall } from './overlay-call.ts'
import type { NetworkCall, OverlayMessage } from './overlay-messages.ts'
import { fromPayload, toCounts, toPayload, toTrace } from './rpc-values.ts'
import type { StorageMessage } from './storage.ts'
import type { ValidationMessage } from './validation.ts'

/** The actors behind the methods. */
export interface NodeRefs {
  readonly discovery: Ref<DiscoveryMessage>
  readonly overlay: Ref<OverlayMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationMessage>
}

export interface NodeApiOptions {
  readonly refs: NodeRefs
  readonly clientVersion: string
  readonly localNodeId: Uint8Array
  readonly contentId: (key: Uint8Array) => Uint8Array | undefined
  readonly wallTime: () => number
}

/** Answers that come from this process. */
const LOCAL_TIMEOUT_MS = 30_000
/** Lookups and transfers have their own time-outs; this one, as long as a call of JSON-RPC may take, only ends what would never end. */
const NETWORK_TIMEOUT_MS = 300_000

type Ask<Message extends { readonly type: string }> = <R>(
  make: (replyTo: ReplyTo<R>) => Message,
  call: rpc.Call,
  timeoutMs?: number,
) => Promise<R>

const asker =
  <Message extends { readonly type: string }>(ref: Ref<Message>): Ask<Message> =>
  (make, { signal }, timeoutMs = LOCAL_TIMEOUT_MS) =>
    ref.ask(make, { timeoutMs, signal })

/** What the JSON-RPC methods ask of a node, as messages to its actors. */
export function nodeApi(options: NodeApiOptions): rpc.NodeApi {
  const { refs, clientVersion, localNodeId, contentId, wallTime } = options
  const discovery = asker(refs.discovery)
  const overlay = asker(refs.overlay)
  const storage = asker(refs.storage)
  const validation = asker(refs.validation)

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

  const view = (buckets: readonly (readonly string[])[]): rpc.RoutingTableView => ({
    localNodeId,
    buckets: buckets.map(ids => ids.map(id => unwrap(fromHex(id)))),
  })

  const ownRecord = (call: rpc.Call): Promise<NodeRecord> =>
    discovery<NodeRecord>(replyTo => ({ type: 'own-record', replyTo }), call)

  /** The own record, else the newer of what the two tables know. */
  const findRecord = async (nodeId: Uint8Array, call: rpc.Call): Promise<NodeRecord | undefined> => {
    const nodeIdHex = toHex(nodeId)
    if (nodeIdHex === toHex(localNodeId)) return ownRecord(call)
    const known = await Promise.all([
      overlay<NodeRecord | undefined>(replyTo => ({ type: 'known-record', nodeIdHex, replyTo }), call),
      discovery<NodeRecord | undefined>(replyTo => ({ type: 'known-record', nodeIdHex, replyTo }), call),
    ])
    return newest(known)
  }

  return {
    clientVersion,

    async health(call) {
      const [store, table] = await Promise.all([
        storage<{ readonly usedBytes: number; readonly count: number; readonly radius: bigint }>(
          replyTo => ({ type: 'snapshot', replyTo }),
          call,
        ),
        overlay<{ readonly members: number }>(replyTo => ({ type: 'snapshot', replyTo }), call),
      ])
      const { usedBytes, count, radius } = store
      return { ready: true, peers: table.members, items: count, usedBytes, radius: `0x${radius.toString(16)}` }
    },

    discovery: {
      routingTable: async call =>
        view(await discovery<readonly (readonly string[])[]>(replyTo => ({ type: 'buckets', replyTo }), call)),
      async addRecord(record) {
        return refs.discovery.tell({ type: 'add-record', record })
      },
      findRecord,
      removeRecord: (nodeId, call) =>
        discovery<boolean>(replyTo => ({ type: 'remove-record', nodeIdHex: toHex(nodeId), replyTo }), call),
      lookupRecord: (nodeId, call) =>
        discovery<NodeRecord | undefined>(replyTo => ({ type: 'resolve', nodeId, replyTo }), call),
      findNodes: (to, distances, call) =>
        discovery<readonly NodeRecord[]>(replyTo => ({ type: 'find-nodes', to, distances, replyTo }), call),
      recursiveFindNodes: (target, call) =>
        discovery<readonly NodeRecord[]>(replyTo => ({ type: 'lookup', target, replyTo }), call, NETWORK_TIMEOUT_MS),
      localRecord: ownRecord,
      async updateRecord(entries, call) {
        refs.discovery.tell({ type: 'set-record', entries })
        return ownRecord(call)
      },
      async ping(to, call) {
        const pong = await discovery<{ readonly enrSeq: bigint; readonly ip: string; readonly port: number }>(
          replyTo => ({ type: 'ping', to, replyTo }),
          call,
        )
        return { enrSeq: pong.enrSeq, recipientIp: pong.ip, recipientPort: pong.port }
      },
      talk: (to, protocol, payload, call) =>
        discovery<Uint8Array>(replyTo => ({ type: 'ask-talk', to, protocol, payload, replyTo }), call),
    },

    history: {
      routingTable: async call =>
        view(await overlay<readonly (readonly string[])[]>(replyTo => ({ type: 'buckets', replyTo }), call)),
      async addRecord(record, call) {
        refs.discovery.tell({ type: 'add-record', record })
        return (await network({ type: 'add-record', record }, call, 'record-added')).added
      },
      findRecord,
      async removeRecord(nodeId, call) {
        return (await network({ type: 'remove-record', nodeIdHex: toHex(nodeId) }, call, 'record-removed')).removed
      },
      async lookupRecord(nodeId, call) {
        if (toHex(nodeId) === toHex(localNodeId)) return ownRecord(call)
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
    },
  }

  async function ownMetadata(
    targetId: Uint8Array,
    call: rpc.Call,
  ): Promise<ReadonlyMap<string, { readonly enr: string; readonly distance: bigint }>> {
    const record = await ownRecord(call)
    const distance = BigInt(toHex(targetId)) ^ BigInt(toHex(localNodeId))
    return new Map([[record.nodeIdHex, { enr: record.text, distance }]])
  }
}

function newest(records: readonly (NodeRecord | undefined)[]): NodeRecord | undefined {
  let best: NodeRecord | undefined
  for (const record of records) if (record !== undefined && (best === undefined || record.seq > best.seq)) best = record
  return best
}

const hasCode = (error: unknown, code: ErrorCode): boolean => error instanceof SpimplError && error.code === code
