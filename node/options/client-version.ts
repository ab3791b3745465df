import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The version of this package. */
export function packageVersion(): string {
  const file = createRequire(import.meta.url).resolve('spimpl/package.json')
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
  return version
}

/** How this client names itself to peers: name/version/os-cpu/language (ping-extensions/extensions/type-0.md). */
export function clientVersion(): string {
  return `spimpl/${packageVersion()}/${process.platform}-${process.arch}/node${process.versions.node}`
}
