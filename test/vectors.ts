import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder, seen from the compiled test (dist/test/). */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')

/**
 * The folder of real blocks and official vectors, which stands beside the project and is not part of it.
 * Undefined in a user's clone; with CI=true its absence is a failure.
 */
export function vectorsDirectory(): string | undefined {
  const candidates = [process.env.SPIMPL_VECTORS, path.join(projectRoot, '..', 'shared', 'vectors')]
  for (const candidate of candidates) if (candidate !== undefined && existsSync(candidate)) return candidate
  if (process.env.CI === 'true') throw new Error('expected ../shared/vectors beside the project, found nothing there')
  return undefined
}

/** Says why vector tests do not run, once for each test file. */
export const vectorsMissing = 'skipped: ../shared/vectors is not beside this clone'
