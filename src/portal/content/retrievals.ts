import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Members } from '../network/members.ts'
import type { ContentName, Failure, Turn } from '../overlay-messages.ts'
import type { Questions } from '../waiting/questions.ts'
import type { Transfers } from '../waiting/transfers.ts'
import type { Content } from '../wire/message.ts'
import { prefixesFoundContent } from '../wire/version.ts'

/** Validation may have to fetch a header first. */
const VALIDATION_MS = 60_000

/** An answer to FIND_CONTENT that leads to content. */
export type Lead = Exclude<Content, { readonly kind: 'records' }>

export type Retrieved =
  | { readonly ok: true; readonly content: Uint8Array; readonly utpTransfer: boolean }
  | ({ readonly ok: false } & Failure)

/** Content on its way from one peer. */
export interface Retrieval {
  /** Stops it; its `settle` is not called afterwards. */
  cancel(turn: Turn): void
}

/**
 * From the answer of a peer to content that is valid: it was inside and is judged, or it is fetched over uTP and judged
 * there.
 */
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

  /** Whether there is room for what this answer needs. */
  hasRoom(lead: Lead, from: NodeRecord): boolean {
    if (lead.kind === 'inline') return this.#questions.hasRoom
    const { nodeIdHex } = from
    return this.#transfers.hasRoom('fetch', nodeIdHex) && !this.#transfers.isInitiating(nodeIdHex, lead.connectionId)
  }

  /** `settle` is called once, in a later turn. The caller has seen that there is room. */
  start(
    turn: Turn,
    from: NodeRecord,
    version: number,
    name: ContentName,
    lead: Lead,
    settle: (turn: Turn, retrieved: Retrieved) => void,
  ): Retrieval {
    return lead.kind === 'inline'
      ? this.#judge(turn, from, name, lead.content, settle)
      : this.#fetch(turn, from, version, name, lead.connectionId, settle)
  }

  #judge(
    turn: Turn,
    from: NodeRecord,
    name: ContentName,
    inline: Uint8Array,
    settle: (turn: Turn, retrieved: Retrieved) => void,
  ): Retrieval {
    // The answer's datagram is not kept for it, and validation has a copy of its own.
    const content = inline.slice()
    const ref = this.#questions.open(turn, VALIDATION_MS, (later, answer) => {
      if (answer?.type === 'validated' && answer.valid) return settle(later, { ok: true, content, utpTransfer: false })
      settle(
        later,
        this.#failed(later, from, answer?.type === 'validated' && !answer.valid ? answer.code : 'ASK_TIMEOUT'),
      )
    })
    turn.emit({ type: 'validate', ref, from, content: inline.slice(), ...name })
    return { cancel: () => this.#questions.close(ref) }
  }

  #fetch(
    turn: Turn,
    peer: NodeRecord,
    version: number,
    name: ContentName,
    connectionId: number,
    settle: (turn: Turn, retrieved: Retrieved) => void,
  ): Retrieval {
    const ref = this.#state.nextRef()
    let received: Uint8Array | undefined
    this.#transfers.begin(turn, ref, 'fetch', peer, connectionId, {
      item: (later, _index, content) => {
        if (received !== undefined) return
        received = content
        settle(later, { ok: true, content, utpTransfer: true })
      },
      ended: (later, failure) => {
        if (received === undefined) settle(later, this.#failed(later, peer, failure ?? 'STREAM_CLOSED'))
      },
    })
    turn.emit({ type: 'fetch', ref, peer, connectionId, version, prefixed: prefixesFoundContent(version), ...name })
    return { cancel: later => this.#transfers.cancel(later, ref) }
  }

  #failed(turn: Turn, from: NodeRecord, code: ErrorCode): Retrieved {
    this.#state.counters.add(`retrieval.failed.${code}`)
    if (code === 'CONTENT_INVALID') this.#members.distrust(turn, from)
    return { ok: false, code, detail: `content of ${from.nodeIdHex} was not had` }
  }
}
