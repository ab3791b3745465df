// The door of the package; index.d.ts documents it.
export { backendInfo } from './lib/backend-info.js'
export { cipher } from './lib/cipher.js'
