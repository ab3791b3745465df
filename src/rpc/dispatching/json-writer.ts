import { toHex } from '../../codec/hex.ts'

/** Bytes that a result shows as hex. Content has megabytes of them, and hex needs no JSON escaping. */
export class HexText {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/**
 * From this size on, hex is written into the buffer that is sent: as text it would be in the heap up to three times.
 */
const LARGE_BYTES = 65_536
const PIECE_BYTES = 8_192

/**
 * The JSON of a result. Hex is inserted without escaping, a bigint as a number (a record's `seq` may exceed 2^53).
 * @param before text in front of the JSON; `after` follows it
 * @returns text, or UTF-8 if it holds much hex
 */
export function toJson(value: unknown, before = '', after = ''): string | Buffer {
  const verbatim: (string | HexText)[] = []
  let hexBytes = 0
  const text = JSON.stringify(value, (_, member: unknown) => {
    if (member instanceof HexText) {
      hexBytes += member.bytes.length
      verbatim.push(member)
    } else if (typeof member === 'bigint') verbatim.push(member.toString())
    else if (typeof member === 'string' && member.includes(MARK)) verbatim.push(JSON.stringify(member))
    else return member
    return `${MARK}${verbatim.length - 1}`
  })
  if (verbatim.length === 0) return before + text + after
  if (hexBytes < LARGE_BYTES) {
    const whole = text.replace(MARKED, (found, at: string) => {
      const part = verbatim[Number(at)] ?? found
      return part instanceof HexText ? `"${toHex(part.bytes)}"` : part
    })
    return before + whole + after
  }
  // Every second part is the index of a verbatim piece.
  const parts = text.split(MARKED).map((part, at) => (at % 2 === 0 ? part : verbatim[Number(part)]!))
  return joined([before, ...parts, after])
}

/** Concatenates the parts: text if all of them are text, else UTF-8. */
export function joinedJson(...parts: readonly (string | Buffer)[]): string | Buffer {
  return parts.every(part => typeof part === 'string') ? parts.join('') : joined(parts)
}

function joined(parts: readonly (string | Buffer | HexText)[]): Buffer {
  const sizeOf = (part: string | Buffer | HexText): number =>
    part instanceof HexText ? 2 * part.bytes.length + 4 : Buffer.byteLength(part)
  const out = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + sizeOf(part), 0))
  let at = 0
  for (const part of parts) {
    if (typeof part === 'string') at += out.write(part, at)
    else if (part instanceof HexText) at = writeHex(out, part.bytes, at)
    else at += part.copy(out, at)
  }
  return out
}

function writeHex(out: Buffer, { buffer, byteOffset, length }: Uint8Array, start: number): number {
  const bytes = Buffer.from(buffer, byteOffset, length)
  let at = start + out.write('"0x', start)
  for (let from = 0; from < length; from += PIECE_BYTES) {
    at += out.write(bytes.toString('hex', from, Math.min(from + PIECE_BYTES, length)), at, 'latin1')
  }
  return at + out.write('"', at)
}

/**
 * A Unicode noncharacter. Our texts never contain it; a peer's text that does (its client info, say) is inserted
 * verbatim, too.
 */
const MARK = '\ufdd0'
const MARKED = new RegExp(`"${MARK}(\\d+)"`, 'g')
