import { Deadline } from 'spimpl-runtime/core'
import { readUint48 } from '../../codec/integers.ts'
import type { DiscoveryErrorCode } from '../../errors.ts'
import type { Session } from '../sessions/session.ts'
import type { Request, Response } from '../wire/message.ts'
import type { NodesAnswer } from './nodes-answer.ts'

/** The part that sent a request and is given its outcome. */
export interface RequestOwner {
  answered(request: PendingRequest, response: Response): void
  failed(request: PendingRequest, code: DiscoveryErrorCode, detail: string): void
}

/** A request that awaits its answer. */
export class PendingRequest {
  readonly id: Uint8Array
  readonly idNumber: number
  readonly type: Request['type']
  readonly session: Session
  readonly owner: RequestOwner
  /** The owner's number for it. */
  readonly ref: number
  readonly plaintext: Uint8Array
  /** Collects the packets that answer a FINDNODE. */
  readonly nodes: NodesAnswer | undefined
  /** How long it waits at least after it leaves the backlog; 0 if the caller set a timeout for its whole duration. */
  readonly answerTimeoutMs: number
  readonly timeout: Deadline<'request-timeout', PendingRequest> = new Deadline('request-timeout', this)

  constructor(options: {
    readonly id: Uint8Array
    readonly type: Request['type']
    readonly session: Session
    readonly plaintext: Uint8Array
    readonly owner: RequestOwner
    readonly ref: number
    readonly answerTimeoutMs: number
    readonly nodes?: NodesAnswer | undefined
  }) {
    this.id = options.id
    this.idNumber = readUint48(options.id, 0)
    this.type = options.type
    this.session = options.session
    this.plaintext = options.plaintext
    this.owner = options.owner
    this.ref = options.ref
    this.answerTimeoutMs = options.answerTimeoutMs
    this.nodes = options.nodes
  }
}
