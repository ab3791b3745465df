// The door of the package; index.d.ts documents it.
export { AddonError } from './lib/addon-error.js'
export { backendInfo } from './lib/backend-info.js'
export { cipher } from './lib/cipher.js'
export { DispatchGroup } from './lib/group.js'
export { drainLane } from './lib/lane.js'
export { DispatchQueue, RemoteQueue } from './lib/queue.js'
export { DispatchSource } from './lib/source.js'
