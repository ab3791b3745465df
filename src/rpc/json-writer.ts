import { toHex } from '../codec/hex.ts'

/** Bytes that a result has as hex. Content has megabytes of it, and digits need no search for what JSON must escape. */
export class HexText {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** So much is written where it is sent from: as a text it would stand in the heap up to three times until that is collected. */
const LARGE_BYTES = 65_536
const PIECE_BYTES = 8_192

/**
 * JSON of a result: hex goes in as it is, and a bigint as the number it is (a record's `seq` may be above 2^53).
 * @param before text that stands before it, and `after` behind it
 * @returns a text, or its UTF-8 where there is much hex in it
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
  // Every other part is the number of what stands there.
  const parts = text.split(MARKED).map((part, at) => (at % 2 === 0 ? part : verbatim[Number(part)]!))
  return joined([before, ...parts, after])
}

/** Texts and hex one behind the other; what is a text already stays one where all are. */
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

/** A noncharacter: no text of ours has it, and a peer's text that does (what it calls itself, for instance) goes in as it is, too. */
const MARK = '\ufdd0'
const MARKED = new RegExp(`"${MARK}(\\d+)"`, 'g')
