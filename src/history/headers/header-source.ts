import type { Result } from '../../errors.ts'
import type { BlockHeader } from './header.ts'

/**
 * The header source port: who knows the canonical header of a block. Portal's history network has no headers; its
 * nodes are assumed to hold them or to ask somebody they trust (history/history-network.md, Overview).
 */
export interface HeaderSource {
  /**
   * The canonical header with that number. Never rejects: what a source cannot give is HEADER_UNAVAILABLE with the
   * reason. After `signal` has fired the answer is HEADER_UNAVAILABLE at once, whatever becomes of the request.
   * `doubted` is what the source gave before and may be the canonical header no more (a reorganization): a source that keeps headers
   * answers with it only after a look.
   */
  headerByNumber(
    number: bigint,
    signal?: AbortSignal,
    doubted?: BlockHeader,
  ): Promise<Result<BlockHeader, 'HEADER_UNAVAILABLE'>>
  /** Ends what is in flight; later questions are HEADER_UNAVAILABLE. */
  close(): Promise<void>
}

/** A header, or why there is none now. */
export type HeaderAnswer = Result<BlockHeader, 'HEADER_UNAVAILABLE'>
