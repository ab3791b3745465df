// The door of the package; index.d.ts documents it.

export { cipher } from './lib/ciphers/cipher.js'
export { NativeJobs } from './lib/ciphers/native-jobs.js'
export { AddonError } from './lib/glue/addon-error.js'
export { backendInfo } from './lib/glue/backend-info.js'
export { NetworkConnection, NetworkListener } from './lib/network/connection.js'
export { NetworkPathMonitor } from './lib/network/network-path.js'
export { DispatchGroup } from './lib/queues/group.js'
export { DispatchQueue, RemoteQueue } from './lib/queues/queue.js'
export { DispatchSource } from './lib/queues/source.js'
export { drainLane } from './lib/threads/lane.js'
export { PinnedThread } from './lib/threads/pinned-thread.js'
