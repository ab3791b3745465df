import { encodeRlp, uintBytes } from '../../codec/rlp.ts'
import { BLOOM_BYTES, BloomHasher } from './bloom.ts'

/** An event of a contract, emitted while a transaction ran. */
export interface Log {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** At most 4, 32 bytes each. */
  readonly topics: readonly Uint8Array[]
  readonly data: Uint8Array
}

/** The outcome of a transaction since Byzantium. */
export interface Receipt {
  /** The type of the transaction: 0 to 4. */
  readonly type: number
  readonly succeeded: boolean
  /** Gas used in the block up to and including this transaction. */
  readonly cumulativeGas: bigint
  readonly logs: readonly Log[]
}

/** A receipts list in the network's form, without blooms (EIP-7642). */
export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(
    receipts.map(({ type, succeeded, cumulativeGas, logs }) => [
      uintBytes(type),
      uintBytes(succeeded ? 1 : 0),
      uintBytes(cumulativeGas),
      logs.map(({ address, topics, data }) => [address, topics, data]),
    ]),
  )
}

/** The logs bloom of a block: 256 bytes. */
export function bloomOf(receipts: readonly Receipt[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES)
  const hasher = new BloomHasher()
  const add = (item: Uint8Array, length: 20 | 32): void =>
    hasher.add(new DataView(item.buffer, item.byteOffset, item.length), 0, length, bloom, 0)
  for (const { logs } of receipts) {
    for (const { address, topics } of logs) {
      add(address, 20)
      for (const topic of topics) add(topic, 32)
    }
  }
  return bloom
}
