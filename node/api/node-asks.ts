import type { Answer, Asks, Message, Question, Ref, ReplyTo } from 'spimpl-runtime'
import type { DiscoveryMessage } from '../../actors/discovery-messages.ts'
import type { OverlayMessage } from '../../actors/overlay.ts'
import type { StorageMessage } from '../../actors/storage.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import type { CallOptions, RoutingTableView } from '../../src/rpc/node-api.ts'
import type { Arguments } from './arguments.ts'

/** The actors behind the API. */
export interface NodeRefs {
  readonly discovery: Ref<DiscoveryMessage>
  readonly overlay: Ref<OverlayMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationMessage>
}

export interface NodeApiOptions {
  readonly refs: NodeRefs
  /** `0x` and 64 digits. */
  readonly localNodeId: string
  readonly args: Arguments
  /** Milliseconds since the Unix epoch. */
  readonly wallTime: () => number
}

/** For answers that come from this process. */
const LOCAL_TIMEOUT_MS = 30_000
/** Lookups and transfers have time limits of their own; this one, the limit of a JSON-RPC call, is a backstop. */
export const NETWORK_TIMEOUT_MS = 300_000

/** The options of an ask, from those of a call. */
export function askOptions({ signal, timeoutMs }: CallOptions, defaultMs: number): AskLimits {
  const limit = timeoutMs ?? defaultMs
  return signal === undefined ? { timeoutMs: limit } : { timeoutMs: limit, signal }
}

interface AskLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export type Ask<M extends Message> = <Built extends Question<never>>(
  make: (replyTo: ReplyTo<unknown>) => Built & M & Asks<M, Built>,
  call: CallOptions,
  defaultMs?: number,
) => Promise<Answer<M, Built>>

const asker =
  <M extends Message>(ref: Ref<M>): Ask<M> =>
  (make, call, defaultMs = LOCAL_TIMEOUT_MS) =>
    ref.ask(make, askOptions(call, defaultMs))

/** An ask for each actor, and the answers that two routing tables give together. */
export class NodeAsks {
  readonly discovery: Ask<DiscoveryMessage>
  readonly overlay: Ask<OverlayMessage>
  readonly storage: Ask<StorageMessage>
  readonly validation: Ask<ValidationMessage>
  readonly #localNodeId: string

  constructor({ refs, localNodeId }: NodeApiOptions) {
    this.discovery = asker(refs.discovery)
    this.overlay = asker(refs.overlay)
    this.storage = asker(refs.storage)
    this.validation = asker(refs.validation)
    this.#localNodeId = localNodeId
  }

  ownRecord(call: CallOptions): Promise<NodeRecord> {
    return this.discovery(replyTo => ({ type: 'own-record', replyTo }), call)
  }

  /** The own record, or else the newer of the two tables' records. */
  async findRecord(nodeIdHex: string, call: CallOptions): Promise<NodeRecord | undefined> {
    if (nodeIdHex === this.#localNodeId) return this.ownRecord(call)
    const known = await Promise.all([
      this.overlay(replyTo => ({ type: 'known-record', nodeIdHex, replyTo }), call),
      this.findDiscovered(nodeIdHex, call),
    ])
    return newest(known)
  }

  /** The own record, or else the record in the table of discovery alone. */
  async findDiscovered(nodeIdHex: string, call: CallOptions): Promise<NodeRecord | undefined> {
    if (nodeIdHex === this.#localNodeId) return this.ownRecord(call)
    return this.discovery(replyTo => ({ type: 'known-record', nodeIdHex, replyTo }), call)
  }

  /** @returns whether the table of discovery had it */
  removeDiscovered(nodeIdHex: string, call: CallOptions): Promise<boolean> {
    return this.discovery(replyTo => ({ type: 'remove-record', nodeIdHex, replyTo }), call)
  }

  view(buckets: readonly (readonly string[])[]): RoutingTableView {
    return { localNodeId: this.#localNodeId, buckets }
  }
}

function newest(records: readonly (NodeRecord | undefined)[]): NodeRecord | undefined {
  let best: NodeRecord | undefined
  for (const record of records) if (record !== undefined && (best === undefined || record.seq > best.seq)) best = record
  return best
}
