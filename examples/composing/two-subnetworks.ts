import { createHash } from 'node:crypto'
import { behavior } from 'spimpl'
import { type NodeOptions, nodeComposition, subnetworkRow, type ValidationRequest } from 'spimpl/node'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

/** The key of a note is the hash of its text: whoever has a note can check it. */
const notes = subnetworkRow({ protocol: Uint8Array.of(0x50, 0xff), contentId: key => key, maxItemBytes: 65_536 })
const noteValidation = behavior<ValidationRequest>(() => ({
  validate: ({ ref, key, bytes, client }) => {
    const isNote = sha256(bytes).equals(key)
    if (isNote) client.tell({ type: 'verdict', ref, valid: true })
    else client.tell({ type: 'verdict', ref, valid: false, code: 'CONTENT_INVALID', blamesContent: true })
  },
}))

/** History and notes: two overlays share socket, discovery, streams and store. */
export const twoSubnetworks = (options: NodeOptions = {}) =>
  nodeComposition(options)
    .without('rpc')
    .with('judge', { under: 'network', behavior: () => noteValidation })
    .with('notes', {
      under: 'network',
      needs: ['ports', 'storage', 'judge', 'discovery', 'streams'],
      behavior: ({ judge, ...refs }, started) => notes.behavior({ ...refs, validation: judge }, started),
    })
