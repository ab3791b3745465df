import { type NodeOptions, nodeComposition } from 'spimpl/node'

/** Finds nodes and keeps its own record up to date. It stores and serves nothing. */
export const discoveryAlone = (options: NodeOptions = {}) =>
  nodeComposition(options)
    .without('rpc')
    .without('events')
    .without('overlay')
    .without('streams')
    .without('validation')
    .without('storage')
