import type { NodeRecord } from '../../identity/node-record.ts'
import { failureName } from '../counters.ts'
import type { Members } from '../knowledge/members.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { ContentFailure, ContentName, Failure } from '../messages.ts'
import type { Questions } from '../waiting/questions.ts'
import type { Transfers } from '../waiting/transfers.ts'
import type { Content } from '../wire/message.ts'
import { prefixesFoundContent } from '../wire/version.ts'

/** An answer to FIND_CONTENT by a peer that has the content: the content itself, or a connection id. */
export type PositiveAnswer = Exclude<Content, { readonly kind: 'records' }>

/** A peer that has content, and its answer that says so. */
export interface Source {
  readonly node: NodeRecord
  /** The version negotiated with it. */
  readonly version: number
  readonly answer: PositiveAnswer
}

/** Valid content, or why it was not had. */
export type Retrieved =
  | { readonly ok: true; readonly content: Uint8Array; readonly utpTransfer: boolean }
  | ({ readonly ok: false } & Failure & ContentFailure)

/** Content in transit from one source. */
export interface Retrieval {
  /** Stops it. Its `settle` is not called afterwards. */
  cancel(): void
}

const NO_VERDICT: ContentFailure = { code: 'ASK_TIMEOUT', blamesContent: false }
const ENDED_EMPTY: ContentFailure = { code: 'STREAM_CLOSED', blamesContent: false }

/** From the answer of a source to valid content: inline content is validated, other content is fetched over uTP. */
export class Retrievals {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #questions: Questions
  readonly #transfers: Transfers

  constructor(state: OverlayState, members: Members, questions: Questions, transfers: Transfers) {
    this.#state = state
    this.#members = members
    this.#questions = questions
    this.#transfers = transfers
  }

  /** Whether there is a slot for what the answer of this source needs. */
  hasRoom({ node, answer }: Source): boolean {
    if (answer.kind === 'inline') return this.#questions.hasRoom
    const { nodeIdHex } = node
    return this.#transfers.hasRoom('fetch', nodeIdHex) && !this.#transfers.isInitiating(nodeIdHex, answer.connectionId)
  }

  /**
   * `settle` is called once, in a later turn. The caller has checked `hasRoom`.
   *
   * @param ref of the call that wants the content, or one of our own
   */
  start(ref: number, source: Source, name: ContentName, settle: (retrieved: Retrieved) => void): Retrieval {
    const { node, version, answer } = source
    return answer.kind === 'inline'
      ? this.#validate(ref, node, name, answer.content, settle)
      : this.#fetch(ref, node, version, name, answer.connectionId, settle)
  }

  #validate(
    ref: number,
    from: NodeRecord,
    name: ContentName,
    inline: Uint8Array,
    settle: (retrieved: Retrieved) => void,
  ): Retrieval {
    // A view would keep the whole datagram in memory.
    const content = inline.slice()
    this.#questions.open(ref, this.#state.limits.validationTimeoutMs, answer => {
      if (answer?.type !== 'verdict') settle(this.#failed(from, NO_VERDICT))
      else if (!answer.valid) settle(this.#failed(from, answer))
      else this.#keep(ref, name, content, settle)
    })
    this.#state.turn.emit({ type: 'validate', ref, content, ...name })
    return { cancel: () => this.#questions.close(ref) }
  }

  /**
   * Valid content is stored before its caller gets it (jsonrpc, portal_historyGetContent). It stays valid if the store
   * refuses it, cannot write it or does not answer.
   */
  #keep(ref: number, name: ContentName, content: Uint8Array, settle: (retrieved: Retrieved) => void): void {
    this.#questions.open(ref, this.#state.limits.validationTimeoutMs, () => {
      settle({ ok: true, content, utpTransfer: false })
    })
    this.#state.turn.emit({ type: 'keep', ref, content, ...name })
  }

  #fetch(
    ref: number,
    peer: NodeRecord,
    version: number,
    name: ContentName,
    connectionId: number,
    settle: (retrieved: Retrieved) => void,
  ): Retrieval {
    let received: Uint8Array | undefined
    this.#transfers.begin(ref, 'fetch', peer, connectionId, {
      item: (_index, content) => {
        if (received !== undefined) return
        received = content
        settle({ ok: true, content, utpTransfer: true })
      },
      ended: failure => {
        if (received === undefined) settle(this.#failed(peer, failure ?? ENDED_EMPTY))
      },
    })
    const prefixed = prefixesFoundContent(version)
    this.#state.turn.emit({ type: 'fetch', ref, peer, connectionId, version, prefixed, ...name })
    return { cancel: () => this.#transfers.cancel(ref) }
  }

  #failed(from: NodeRecord, { code, blamesContent }: ContentFailure): Retrieved {
    this.#state.counters.add(`retrieval.failed.${failureName(code, blamesContent)}`)
    if (blamesContent) this.#members.distrust(from)
    return { ok: false, code, detail: `content of ${from.nodeIdHex} could not be retrieved`, blamesContent }
  }
}
