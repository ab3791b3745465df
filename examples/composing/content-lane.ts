import { type NodeOptions, nodeComposition, storageOnLane, validationOnLane } from 'spimpl/node'

/** A node whose database and validation share a thread of their own, so that neither delays a packet. */
export const contentLane = (options: NodeOptions = {}) =>
  nodeComposition(options)
    .without('rpc')
    .replace('storage', storageOnLane('content', options))
    .replace('validation', validationOnLane('content'))
