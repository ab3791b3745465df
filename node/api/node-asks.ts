import type { Ref, ReplyTo } from 'spimpl-runtime'
import type { DiscoveryMessage } from '../../actors/discovery-messages.ts'
import type { OverlayMessage } from '../../actors/overlay.ts'
import type { StorageMessage } from '../../actors/storage.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { unwrap } from '../../src/errors.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import type * as rpc from '../../src/rpc/node-api.ts'

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
export const NETWORK_TIMEOUT_MS = 300_000

export type Ask<Message extends { readonly type: string }> = <R>(
  make: (replyTo: ReplyTo<R>) => Message,
  call: rpc.Call,
  timeoutMs?: number,
) => Promise<R>

const asker =
  <Message extends { readonly type: string }>(ref: Ref<Message>): Ask<Message> =>
  (make, { signal }, timeoutMs = LOCAL_TIMEOUT_MS) =>
    ref.ask(make, { timeoutMs, signal })

/** One ask a message, to each of the actors, and what both routing tables answer together. */
export class NodeAsks {
  readonly discovery: Ask<DiscoveryMessage>
  readonly overlay: Ask<OverlayMessage>
  readonly storage: Ask<StorageMessage>
  readonly validation: Ask<ValidationMessage>
  readonly #localNodeId: Uint8Array

  constructor({ refs, localNodeId }: NodeApiOptions) {
    this.discovery = asker(refs.discovery)
    this.overlay = asker(refs.overlay)
    this.storage = asker(refs.storage)
    this.validation = asker(refs.validation)
    this.#localNodeId = localNodeId
  }

  ownRecord(call: rpc.Call): Promise<NodeRecord> {
    return this.discovery<NodeRecord>(replyTo => ({ type: 'own-record', replyTo }), call)
  }

  /** The own record, else the newer of what the two tables know. */
  async findRecord(nodeId: Uint8Array, call: rpc.Call): Promise<NodeRecord | undefined> {
    const nodeIdHex = toHex(nodeId)
    if (nodeIdHex === toHex(this.#localNodeId)) return this.ownRecord(call)
    const known = await Promise.all([
      this.overlay<NodeRecord | undefined>(replyTo => ({ type: 'known-record', nodeIdHex, replyTo }), call),
      this.findDiscovered(nodeId, call),
    ])
    return newest(known)
  }

  /** What the table of discovery alone knows, or the own record. */
  async findDiscovered(nodeId: Uint8Array, call: rpc.Call): Promise<NodeRecord | undefined> {
    const nodeIdHex = toHex(nodeId)
    if (nodeIdHex === toHex(this.#localNodeId)) return this.ownRecord(call)
    return this.discovery<NodeRecord | undefined>(replyTo => ({ type: 'known-record', nodeIdHex, replyTo }), call)
  }

  /** @returns whether it stood in the table of discovery */
  removeDiscovered(nodeId: Uint8Array, call: rpc.Call): Promise<boolean> {
    return this.discovery<boolean>(replyTo => ({ type: 'remove-record', nodeIdHex: toHex(nodeId), replyTo }), call)
  }

  view(buckets: readonly (readonly string[])[]): rpc.RoutingTableView {
    return { localNodeId: this.#localNodeId, buckets: buckets.map(ids => ids.map(id => unwrap(fromHex(id)))) }
  }
}

function newest(records: readonly (NodeRecord | undefined)[]): NodeRecord | undefined {
  let best: NodeRecord | undefined
  for (const record of records) if (record !== undefined && (best === undefined || record.seq > best.seq)) best = record
  return best
}
