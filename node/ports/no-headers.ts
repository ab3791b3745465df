import { refused } from '../../src/errors.ts'
import type { HeaderAnswer, HeaderSource } from '../../src/history/headers/header-source.ts'

/** The header source of a node that was given none: nothing can be validated, so nothing is stored or served. */
export const noHeaders: HeaderSource = {
  async headerByNumber(number): Promise<HeaderAnswer> {
    return refused(
      'HEADER_UNAVAILABLE',
      `block ${number} cannot be validated without its header: start the node with the option headers (--headers), ` +
        'the URL of an execution client, a directory of block files, blocks, or a HeaderSource',
    )
  },
  async close() {},
}
