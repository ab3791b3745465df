import { equalBytes } from '../../codec/bytes.ts'
import { ok, refused, SpimplError } from '../../errors.ts'
import { listBlockFiles, readFileHeader } from './block-file.ts'
import type { BlockHeader } from './header.ts'
import type { HeaderAnswer, HeaderSource } from './header-source.ts'

/**
 * Headers in memory: from block files, or of a made chain. Part of a port's implementation, not of a core.
 */
export class HeaderTable implements HeaderSource {
  readonly #headers = new Map<bigint, BlockHeader>()
  readonly #name: string

  /** @param name the origin of the headers, for refusals */
  constructor(headers: Iterable<BlockHeader>, name: string) {
    this.#name = name
    for (const header of headers) {
      const known = this.#headers.get(header.number)
      if (known !== undefined && !equalBytes(known.hash, header.hash)) {
        throw new SpimplError('FILE_INVALID', `${name}: found two different headers of block ${header.number}`)
      }
      this.#headers.set(header.number, header)
    }
  }

  get size(): number {
    return this.#headers.size
  }

  async headerByNumber(number: bigint, signal?: AbortSignal): Promise<HeaderAnswer> {
    if (signal?.aborted) return refused('HEADER_UNAVAILABLE', `the request for block ${number} was aborted`)
    const header = this.#headers.get(number)
    return header === undefined ? refused('HEADER_UNAVAILABLE', `${this.#name} has no block ${number}`) : ok(header)
  }

  async close(): Promise<void> {
    this.#headers.clear()
  }
}

/** The headers of every block file in a directory, read once. @throws SpimplError FILE_INVALID */
export async function openHeaderDirectory(directory: string): Promise<HeaderTable> {
  const headers: BlockHeader[] = []
  for (const file of await listBlockFiles(directory)) headers.push(await readFileHeader(file))
  return new HeaderTable(headers, directory)
}

/** The header of one block file. @throws SpimplError FILE_INVALID */
export async function openHeaderFile(file: string): Promise<HeaderTable> {
  return new HeaderTable([await readFileHeader(file)], file)
}
