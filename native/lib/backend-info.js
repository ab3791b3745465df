import { binding } from './binding.js'

const absent = 'the addon is not loaded'

/** See index.d.ts. */
export function backendInfo() {
  const { native, file, reasons } = binding
  return {
    addon: { loaded: native !== undefined, file, reasons },
    libdispatch: native?.dispatchInfo() ?? { found: false, refused: [absent] },
    openssl: native?.opensslInfo() ?? { found: false, detail: absent },
  }
}
