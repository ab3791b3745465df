import { binding } from './binding.js'

const absent = 'the addon is not loaded'

/** See index.d.ts. */
export function backendInfo() {
  const { native, file, reasons } = binding
  return {
    addon: { loaded: native !== undefined, file, reasons },
    libdispatch: native?.dispatchInfo() ?? { found: false, refused: [absent] },
    jobs: native?.jobStatistics() ?? { performed: 0, threads: 0, mostAtOnce: 0 },
    openssl: native?.opensslInfo() ?? { found: false, detail: absent },
  }
}
