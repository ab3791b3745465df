import { stat } from 'node:fs/promises'
import { SpimplError } from '../../errors.ts'
import { HeaderCache } from './header-cache.ts'
import { openHeaderDirectory, openHeaderFile } from './header-directory.ts'
import { HeaderRpc, type HeaderRpcOptions } from './header-rpc.ts'
import type { HeaderSource } from './header-source.ts'

/**
 * Opens the header source that a user chose: the http or https URL of an execution client, a directory of block YAML,
 * or one such file.
 *
 * @throws SpimplError FILE_INVALID, CONFIG_INVALID
 * @example
 * const headers = await openHeaderSource('http://127.0.0.1:8545')
 * const header = await headers.headerByNumber(22431084n)
 */
export async function openHeaderSource(spec: string, options: HeaderRpcOptions = {}): Promise<HeaderSource> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(spec)) return new HeaderCache(new HeaderRpc(spec, options))
  const found = await stat(spec).catch(cause => {
    const message = `${spec}: expected a directory or file of block YAML, or the URL of an execution client`
    throw new SpimplError('FILE_INVALID', message, { cause })
  })
  return found.isDirectory() ? openHeaderDirectory(spec) : openHeaderFile(spec)
}
