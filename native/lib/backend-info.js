import { binding } from './binding.js'

/** See index.d.ts. */
export function backendInfo() {
  const { native, file, reasons } = binding
  return {
    addon: { loaded: native !== undefined, file, reasons },
    openssl: native?.opensslInfo() ?? { found: false, detail: 'the addon is not loaded' },
  }
}
