import type { Result } from '../../errors.ts'
import type { BlockHeader } from './header.ts'

/**
 * The header source port: it knows the canonical header of a block. Portal's history network stores no headers; its
 * nodes are assumed to have them, or a trusted source (history/history-network.md, Overview).
 */
export interface HeaderSource {
  /**
   * The canonical header with that number. Never rejects: if the source has none, the answer is HEADER_UNAVAILABLE with
   * the reason. When `signal` fires, the answer is HEADER_UNAVAILABLE at once, whatever becomes of the request.
   *
   * @param doubted an earlier answer, which a reorganization may have made stale: a source that caches headers asks
   * again before it repeats that answer
   */
  headerByNumber(
    number: bigint,
    signal?: AbortSignal,
    doubted?: BlockHeader,
  ): Promise<Result<BlockHeader, 'HEADER_UNAVAILABLE'>>
  /** Aborts the requests in flight; the answer to later ones is HEADER_UNAVAILABLE. */
  close(): Promise<void>
}

/** A header, or the reason why it is unavailable now. */
export type HeaderAnswer = Result<BlockHeader, 'HEADER_UNAVAILABLE'>
