import { open, readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Document, parseDocument } from 'yaml'
import { fromHex, toHex } from '../../codec/hex.ts'
import { SpimplError } from '../../errors.ts'
import { type BlockHeader, decodeHeader, MAX_HEADER_BYTES } from './header.ts'

/** A block as this node uses it. */
export interface Block {
  readonly number: bigint
  readonly header: BlockHeader
  /** RLP of [transactions, ommers] or [transactions, ommers, withdrawals]. */
  readonly body: Uint8Array
  /** RLP of the list of receipts, without blooms. */
  readonly receipts: Uint8Array
}

/** The content of a block file: a header, and perhaps the rest. */
export interface BlockFile {
  readonly header: BlockHeader
  readonly body?: Uint8Array
  readonly receipts?: Uint8Array
}

/** The largest body, the largest receipts and the header, in hex digits. */
const MAX_FILE_BYTES = 80 * 1024 * 1024
const MAX_FILES = 100_000
const KEYS = ['header', 'body', 'receipts'] as const
/** `header: 0x...` on the first line, as all known writers of these files have it. */
const HEADER_LINE = /^header: *(["']?)(0x[0-9a-fA-F]*)\1 *\r?\n/

/**
 * Reads one YAML file with the keys `header`, `body` and `receipts`, each 0x-hex (the format of portal-spec-tests'
 * block data). Other keys are ignored.
 *
 * @throws SpimplError FILE_INVALID, with the file and what was expected
 */
export async function readBlockFile(file: string): Promise<BlockFile> {
  const { size } = await stat(file).catch(cause => invalid(file, 'expected a file that can be read', cause))
  if (size > MAX_FILE_BYTES) return invalid(file, `expected at most ${MAX_FILE_BYTES} bytes, got ${size}`)
  const text = await readFile(file, 'utf8').catch(cause => invalid(file, 'expected a file that can be read', cause))
  const fields = parseFields(file, text)
  const header = fields.get('header')
  if (header === undefined) return invalid(file, 'expected a key "header", found none')
  const body = fields.get('body')
  const receipts = fields.get('receipts')
  return {
    header: headerOf(file, header),
    ...(body !== undefined && { body: hexOf(file, 'body', body) }),
    ...(receipts !== undefined && { receipts: hexOf(file, 'receipts', receipts) }),
  }
}

/**
 * Reads the header of a block file, and only that part of the file: 600 bytes beside megabytes of receipts.
 *
 * @throws SpimplError FILE_INVALID
 */
export async function readFileHeader(file: string): Promise<BlockHeader> {
  const start = await readStart(file)
  const line = HEADER_LINE.exec(start)
  if (line === null) return (await readBlockFile(file)).header
  return headerOf(file, line[2]!)
}

/**
 * All blocks of a directory's YAML files, by number. Every file must have a header, a body and receipts.
 *
 * @throws SpimplError FILE_INVALID, also for a directory without such files or two files with the same block number
 */
export async function loadBlocks(directory: string): Promise<Block[]> {
  const blocks = new Map<bigint, Block>()
  for (const file of await listBlockFiles(directory)) {
    const { header, body, receipts } = await readBlockFile(file)
    if (body === undefined) return invalid(file, 'expected a key "body", found none')
    if (receipts === undefined) return invalid(file, 'expected a key "receipts", found none')
    if (blocks.has(header.number))
      return invalid(file, `block ${header.number} is in another file of the directory too`)
    blocks.set(header.number, { number: header.number, header, body, receipts })
  }
  return [...blocks.values()].sort((a, b) => (a.number < b.number ? -1 : 1))
}

/** The text of a block file that `readBlockFile` can read. */
export function formatBlockFile({ header, body, receipts }: Block): string {
  return `header: ${toHex(header.bytes)}\nbody: ${toHex(body)}\nreceipts: ${toHex(receipts)}\n`
}

/** The paths of a directory's .yaml and .yml files, sorted. @throws SpimplError FILE_INVALID */
export async function listBlockFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(cause =>
    invalid(directory, 'expected a directory of block files', cause),
  )
  const files = names.filter(name => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort()
  if (files.length === 0) return invalid(directory, 'expected block files (*.yaml), found none')
  if (files.length > MAX_FILES) return invalid(directory, `expected at most ${MAX_FILES} files, found ${files.length}`)
  return files.map(name => path.join(directory, name))
}

/** The failsafe schema keeps hex digits as text; YAML's core schema would read one large integer. */
function parseFields(file: string, text: string): Map<string, string> {
  const document = parseDocument(text, { schema: 'failsafe' })
  const fault = document.errors[0]
  if (fault !== undefined) return invalid(file, `expected YAML, ${fault.code} at byte ${fault.pos[0]}`)
  const content = withoutAliases(file, document)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return invalid(file, 'expected the keys header, body and receipts')
  }
  const fields = new Map<string, string>()
  for (const key of KEYS) {
    const value: unknown = Reflect.get(content, key)
    if (value === undefined) continue
    if (typeof value !== 'string') return invalid(file, `expected "${key}" to be 0x-hex`)
    fields.set(key, value)
  }
  return fields
}

/** Aliases are refused: a few of them can expand to a billion copies, and these files need none. */
function withoutAliases(file: string, document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    return invalid(file, 'expected no YAML aliases', cause)
  }
}

function headerOf(file: string, text: string): BlockHeader {
  const header = decodeHeader(hexOf(file, 'header', text))
  return header.ok ? header.value : invalid(file, `"header" is no block header: ${header.detail}`)
}

function hexOf(file: string, key: string, text: string): Uint8Array {
  const bytes = fromHex(text)
  return bytes.ok ? bytes.value : invalid(file, `"${key}": ${bytes.detail}`)
}

async function readStart(file: string): Promise<string> {
  const handle = await open(file).catch(cause => invalid(file, 'expected a file that can be read', cause))
  try {
    const buffer = new Uint8Array(2 * MAX_HEADER_BYTES + 64)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return Buffer.from(buffer.buffer, 0, bytesRead).toString('latin1')
  } catch (cause) {
    return invalid(file, 'expected a file that can be read', cause)
  } finally {
    await handle.close()
  }
}

function invalid(file: string, what: string, cause?: unknown): never {
  const reason = cause instanceof Error ? ` (${cause.message})` : ''
  throw new SpimplError('FILE_INVALID', `${file}: ${what}${reason}`, { cause })
}
