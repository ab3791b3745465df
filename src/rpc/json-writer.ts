import { toHex } from '../codec/hex.ts'

/** Bytes that a result has as hex. Content has megabytes of it, and digits need no search for what JSON must escape. */
export class HexText {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** JSON of a result: hex goes in as it is, and a bigint as the number it is (a record's `seq` may be above 2^53). */
export function toJson(value: unknown): string {
  const verbatim: string[] = []
  const text = JSON.stringify(value, (_, member: unknown) => {
    if (member instanceof HexText) verbatim.push(`"${toHex(member.bytes)}"`)
    else if (typeof member === 'bigint') verbatim.push(member.toString())
    else if (typeof member === 'string' && member.includes(MARK)) verbatim.push(JSON.stringify(member))
    else return member
    return `${MARK}${verbatim.length - 1}`
  })
  if (verbatim.length === 0) return text
  return text.replace(MARKED, (found, at: string) => verbatim[Number(at)] ?? found)
}

/** A noncharacter: no text of ours has it, and a peer's text that does (what it calls itself, for instance) goes in as it is, too. */
const MARK = '\ufdd0'
const MARKED = new RegExp(`"${MARK}(\\d+)"`, 'g')
