// Finds the compiled addon: a prebuild for this platform first, then the local build. No addon at all is a valid
// result, because every user of this package works without one.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(import.meta.url)

function load() {
  const reasons = []
  if (process.env.SPIMPL_NATIVE === 'none') {
    return { native: undefined, file: undefined, reasons: ['SPIMPL_NATIVE=none hides the addon'] }
  }
  // Tests load another build of the same sources.
  const chosen = process.env.SPIMPL_NATIVE ? [process.env.SPIMPL_NATIVE] : []
  const candidates = [
    ...chosen,
    path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'node_dispatch_addon.node'),
    path.join(root, 'build', 'Release', 'node_dispatch_addon.node'),
  ]
  for (const file of candidates) {
    if (!existsSync(file)) {
      reasons.push(`${path.relative(root, file)}: not there`)
      continue
    }
    try {
      return { native: require(file), file, reasons }
    } catch (error) {
      reasons.push(`${path.relative(root, file)}: ${error.message}`)
    }
  }
  // The command works from any folder, in a clone and where the package is installed.
  reasons.push(`build it with: node ${path.join(root, 'scripts', 'build.mjs')}`)
  return { native: undefined, file: undefined, reasons }
}

/**
 * `native` is the compiled addon's exports or undefined, `file` where they came from, `reasons` why candidates
 * before it were refused.
 */
export const binding = load()
