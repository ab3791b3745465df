import { fileURLToPath } from 'node:url'
import type { Randomness } from 'spimpl-runtime'
import type { Cryptography } from '../../src/crypto/cryptography.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { SpimplError } from '../../src/errors.ts'
import { HeaderTable } from '../../src/history/headers/header-directory.ts'
import type { HeaderSource } from '../../src/history/headers/header-source.ts'
import { openHeaderSource } from '../../src/history/headers/open-header-source.ts'
import { isPrivateKey, newPrivateKey } from '../../src/identity/keys.ts'
import { type NodeRecord, parseRecord } from '../../src/identity/node-record.ts'
import { DataDirectory } from '../../src/store/store.ts'
import { withAddon } from '../options/executors.ts'
import type { NodeSettings } from '../options/node-settings.ts'
import { noHeaders } from './no-headers.ts'
import type { Opened } from './opened.ts'
import { onPool, type ValidateContent, ValidationThreads } from './validation-threads.ts'

/** The cryptography that was given, or else node:crypto with the ciphers of the addon if it is installed. */
export async function cryptographyOf({ crypto }: NodeSettings): Promise<Cryptography> {
  if (crypto !== undefined) return crypto
  const native = await withAddon(import('../../src/crypto/native-cryptography.ts'))
  return native === undefined ? nodeCryptography : native.nativeCryptography(nodeCryptography)
}

/** @throws SpimplError `CONFIG_INVALID` */
export function bootnodeRecords({ bootnodes }: NodeSettings, crypto: Cryptography): readonly NodeRecord[] {
  return bootnodes.map(node => {
    if (typeof node !== 'string') return node
    const record = parseRecord(node, crypto)
    if (record.ok) return record.value
    throw new SpimplError('CONFIG_INVALID', `bootnodes: expected node records (enr:...), got ${node}: ${record.detail}`)
  })
}

/** @throws SpimplError `STORE_LOCKED`, `FILE_INVALID` */
export async function openDirectory({ dataDir }: NodeSettings, opened: Opened): Promise<DataDirectory | undefined> {
  if (typeof dataDir !== 'string') return dataDir
  const directory = await DataDirectory.open(dataDir)
  opened.add(() => directory.close())
  return directory
}

/**
 * The key that was given, or else that of the data directory, or else a new one. It is judged before it is written.
 *
 * @throws SpimplError `KEY_INVALID`, `FILE_INVALID`, `CONFIG_INVALID` if the directory holds another key
 */
export async function keyOf(
  { privateKey }: NodeSettings,
  parts: {
    readonly directory: DataDirectory | undefined
    readonly crypto: Cryptography
    readonly randomness: Randomness
  },
): Promise<Uint8Array> {
  const { directory, crypto, randomness } = parts
  const expected = 'expected a private key between 1 and the order of secp256k1'
  if (privateKey !== undefined && !isPrivateKey(privateKey, crypto)) {
    throw new SpimplError('KEY_INVALID', `privateKey: ${expected}`)
  }
  const generate = (): Uint8Array => newPrivateKey(randomness, crypto)
  if (directory === undefined) return privateKey ?? generate()
  const key = await directory.loadOrCreateKey(generate, privateKey)
  if (isPrivateKey(key, crypto)) return key
  throw new SpimplError('FILE_INVALID', `${directory.keyFile}: ${expected}`)
}

/** @throws SpimplError `FILE_INVALID`, `CONFIG_INVALID` */
export async function headersOf({ headers }: NodeSettings, opened: Opened): Promise<HeaderSource> {
  if (headers === undefined) return noHeaders
  if (typeof headers === 'string' || headers instanceof URL) {
    const isFile = headers instanceof URL && headers.protocol === 'file:'
    const source = await openHeaderSource(isFile ? fileURLToPath(headers) : String(headers))
    opened.add(() => source.close())
    return source
  }
  if ('headerByNumber' in headers) return headers
  return new HeaderTable(
    [...headers].map(block => ('header' in block ? block.header : block)),
    'the option headers',
  )
}

/** The pool or function that was given, or else threads of the node's own. */
export function validatorOf({ compute }: NodeSettings, opened: Opened): ValidateContent {
  if (typeof compute === 'function') return compute
  if (compute !== undefined) return onPool(compute)
  const threads = new ValidationThreads()
  opened.add(() => threads.close())
  return threads.validate
}
