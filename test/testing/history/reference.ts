import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Input, RLP } from 'rlp'

/**
 * The consensus rules once more, written for reading and not for speed, from other libraries: what the tests measure
 * src/history by.
 */

export function referenceKeccak(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes)
}

type Entry = { readonly path: readonly number[]; readonly value: Uint8Array }

/** The Merkle-Patricia root (yellow paper, appendix D) of rlp(index) to value: a general trie over nibble paths. */
export function referenceTrieRoot(values: readonly Uint8Array[]): Uint8Array {
  if (values.length === 0) return keccak_256(RLP.encode(new Uint8Array()))
  const entries = values.map((value, index) => ({ path: nibblesOf(RLP.encode(index)), value }))
  return keccak_256(RLP.encode(node(entries)))
}

function node(entries: readonly Entry[]): Input {
  const [first] = entries
  if (first === undefined) return new Uint8Array()
  if (entries.length === 1) return [hexPrefix(first.path, true), first.value]
  let shared = 0
  while (entries.every(({ path }) => path[shared] !== undefined && path[shared] === first.path[shared])) shared++
  const below = entries.map(({ path, value }) => ({ path: path.slice(shared), value }))
  if (shared > 0) return [hexPrefix(first.path.slice(0, shared), false), reference(node(below))]
  const children: Input[] = []
  for (let digit = 0; digit < 16; digit++) {
    const under = below
      .filter(({ path }) => path[0] === digit)
      .map(({ path, value }) => ({ path: path.slice(1), value }))
    children.push(under.length === 0 ? new Uint8Array() : reference(node(under)))
  }
  return [...children, new Uint8Array()]
}

function reference(child: Input): Input {
  const encoded = RLP.encode(child)
  return encoded.length < 32 ? child : keccak_256(encoded)
}

function hexPrefix(path: readonly number[], leaf: boolean): Uint8Array {
  const flag = (leaf ? 2 : 0) + (path.length % 2)
  const nibbles = path.length % 2 === 1 ? [flag, ...path] : [flag, 0, ...path]
  return Uint8Array.from({ length: nibbles.length / 2 }, (_, at) => nibbles[2 * at]! * 16 + nibbles[2 * at + 1]!)
}

function nibblesOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap(byte => [byte >> 4, byte & 15])
}

export interface ReferenceLog {
  readonly address: Uint8Array
  readonly topics: readonly Uint8Array[]
  readonly data: Uint8Array
}

export interface ReferenceReceipt {
  readonly type: number
  /** Empty for failure, 01 for success, 32 bytes of state root before Byzantium. */
  readonly outcome: Uint8Array
  readonly cumulativeGas: number
  readonly logs: readonly ReferenceLog[]
}

/** The logs bloom, bit by bit (yellow paper, 4.3.1). */
export function referenceBloom(logs: readonly ReferenceLog[]): Uint8Array {
  const bloom = new Uint8Array(256)
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const hash = keccak_256(item)
    for (const at of [0, 2, 4]) {
      const bit = (hash[at]! * 256 + hash[at + 1]!) % 2048
      bloom[255 - Math.floor(bit / 8)]! |= 1 << (bit % 8)
    }
  }
  return bloom
}

/** As the history network stores it: rlp([[type, outcome, cumulative gas, logs], ...]). */
export function storedReceipts(receipts: readonly ReferenceReceipt[]): Uint8Array {
  return RLP.encode(
    receipts.map(({ type, outcome, cumulativeGas, logs }) => [type, outcome, cumulativeGas, logs.map(logItems)]),
  )
}

/** As the receipts root commits to them: type || rlp([outcome, cumulative gas, bloom, logs]). */
export function consensusReceiptsRoot(receipts: readonly ReferenceReceipt[]): Uint8Array {
  return referenceTrieRoot(
    receipts.map(({ type, outcome, cumulativeGas, logs }) => {
      const payload = RLP.encode([outcome, cumulativeGas, referenceBloom(logs), logs.map(logItems)])
      return type === 0 ? payload : Uint8Array.of(type, ...payload)
    }),
  )
}

function logItems({ address, topics, data }: ReferenceLog): Input {
  return [address, [...topics], data]
}
