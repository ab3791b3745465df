import { type FileHandle, open } from 'node:fs/promises'
import { endianness } from 'node:os'
import { SpimplError } from '../errors.ts'

/** The offsets of the fields of a meta page (lmdb's mdb.c, MDB_page_header and MDB_meta on 64-bit machines). */
const FLAGS_AT = 18
const MAGIC_AT = 24
const VERSION_AT = 28
const MAP_BYTES_AT = 40
const PAGE_BYTES_AT = 48
const FREE_ROOT_AT = 88
const MAIN_ROOT_AT = 136
const LAST_PAGE_AT = 144
const TRANSACTION_AT = 152
const META_BYTES = 160

const P_META = 0x08
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const MIN_PAGE_BYTES = 512
const MAX_PAGE_BYTES = 65_536
/** The root of an empty tree. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn

/** Architectures of Node.js with a `size_t` of 32 bits; a meta page has other offsets there. */
const NARROW = new Set<string>(['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'])

interface Meta {
  readonly pageBytes: number
  readonly mapBytes: bigint
  readonly lastPage: bigint
  readonly roots: readonly bigint[]
  readonly transaction: bigint
}

/**
 * Checks the meta pages of a database before lmdb opens it. lmdb maps the file and trusts it: with a file of another
 * kind, or a truncated copy, it reads beyond the end, and SIGSEGV or SIGBUS ends the process without a message.
 *
 * A sound file may end before its last page, if that page is free. The missing part is added as a hole, which reads as
 * zeros: harmless for a free page; for any other page lmdb reports corruption.
 *
 * If the file is absent or empty, lmdb creates it. Throws STORE_FAILED with the name of the file.
 *
 * @returns whether a part was missing
 */
export async function checkDatabaseFile(file: string): Promise<boolean> {
  if (NARROW.has(process.arch)) return false
  let handle: FileHandle
  try {
    handle = await open(file, 'r+')
  } catch (cause) {
    // lmdb would refuse it too, but only after it has created a lock file beside it.
    if ((cause as NodeJS.ErrnoException).code === 'EISDIR') {
      throw new SpimplError('STORE_FAILED', `expected a content database at ${file}, got a directory`, { cause })
    }
    // The file is absent, or lmdb reports why it cannot be opened.
    return false
  }
  try {
    const { size } = await handle.stat()
    if (size === 0) return false
    const meta = await readMeta(handle, file)
    const wanted = (meta.lastPage + 1n) * BigInt(meta.pageBytes)
    if (wanted <= BigInt(size)) return false
    await handle.truncate(Number(wanted))
    return true
  } finally {
    await handle.close()
  }
}

/**
 * The error reported for any kind of corruption. The network has the content too, so there is always a way to recover.
 */
export function damaged(file: string, what: string, cause?: unknown): SpimplError {
  const advice = 'move the file away (the network has its content), or use another dataDir (--data-dir)'
  return new SpimplError('STORE_FAILED', `the content database ${file} is damaged: ${what}; ${advice}`, { cause })
}

/** The meta page of the last commit. lmdb uses the one with the higher transaction, without checking its magic. */
async function readMeta(handle: FileHandle, file: string): Promise<Meta> {
  const first = await readMetaAt(handle, file, 0)
  const second = await readMetaAt(handle, file, first.pageBytes)
  const last = second.transaction > first.transaction ? second : first
  if ((last.lastPage + 1n) * BigInt(first.pageBytes) > last.mapBytes) {
    throw damaged(file, `expected its last page within a map of ${last.mapBytes} bytes, got page ${last.lastPage}`)
  }
  const root = last.roots.find(page => page !== NO_PAGE && page > last.lastPage)
  if (root !== undefined) throw damaged(file, `expected pages up to ${last.lastPage}, got a tree at page ${root}`)
  return { ...last, pageBytes: first.pageBytes }
}

async function readMetaAt(handle: FileHandle, file: string, at: number): Promise<Meta> {
  const bytes = new Uint8Array(META_BYTES)
  const { bytesRead } = await handle.read(bytes, 0, META_BYTES, at)
  const view = new DataView(bytes.buffer)
  const little = endianness() === 'LE'
  const isMeta =
    bytesRead === META_BYTES &&
    (view.getUint16(FLAGS_AT, little) & P_META) !== 0 &&
    view.getUint32(MAGIC_AT, little) === MAGIC
  if (!isMeta) throw damaged(file, `expected the head of an LMDB database at byte ${at}, got something else`)
  const version = view.getUint32(VERSION_AT, little) & 0xffff
  if (version !== DATA_VERSION) throw damaged(file, `expected LMDB data of version ${DATA_VERSION}, got ${version}`)
  const pageBytes = view.getUint32(PAGE_BYTES_AT, little)
  if (pageBytes < MIN_PAGE_BYTES || pageBytes > MAX_PAGE_BYTES || (pageBytes & (pageBytes - 1)) !== 0) {
    throw damaged(file, `expected pages of ${MIN_PAGE_BYTES} to ${MAX_PAGE_BYTES} bytes, got ${pageBytes}`)
  }
  return {
    pageBytes,
    mapBytes: view.getBigUint64(MAP_BYTES_AT, little),
    lastPage: view.getBigUint64(LAST_PAGE_AT, little),
    roots: [view.getBigUint64(FREE_ROOT_AT, little), view.getBigUint64(MAIN_ROOT_AT, little)],
    transaction: view.getBigUint64(TRANSACTION_AT, little),
  }
}

/**
 * The reason of a failed commit, such as a full disk. lmdb gives it by a promise on the error, which it rejects right
 * after; unhandled, that rejection would end the process.
 */
export async function commitFault(cause: unknown): Promise<string> {
  let reason = cause
  const { commitError } = cause as { readonly commitError?: Promise<never> }
  commitError?.catch((fault: unknown) => {
    reason = fault
  })
  await new Promise(resolve => setImmediate(resolve))
  const said = reasonOf(reason)
  // mdb_page_flush: "short write, filesystem full?", and it returns EIO.
  return said === 'Input/output error' ? `${said} (is the disk full?)` : said
}

/** The error for a failure while a database is opened: a corrupt tree, or a failed first commit (a full disk). */
export async function openFault(file: string, cause: unknown): Promise<SpimplError> {
  const reason = await commitFault(cause)
  if (/^MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC|BAD_TXN)/.test(reason)) return damaged(file, reason, cause)
  return new SpimplError('STORE_FAILED', `could not write to ${file}: ${reason}`, { cause })
}

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
