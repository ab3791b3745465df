import type { BlockHeader } from '../../src/history/headers/header.ts'
import { loadPeer } from '../peers.ts'

/**
 * How the ethereumjs packages validate history, as their own @ethereumjs/block and @ethereumjs/vm do it. They are
 * installed for benchmarks only (bench/package.json), so that nothing of them is known when spimpl is compiled: what
 * is used is declared here.
 */

type Nested = Uint8Array | Nested[]
type Keccak = (bytes: Uint8Array) => Uint8Array
type StoredReceipt = [Uint8Array, Uint8Array, Uint8Array, [Uint8Array, Uint8Array[], Uint8Array][]]

interface Trie {
  put(key: Uint8Array, value: Uint8Array): Promise<void>
  root(): Uint8Array
}

interface PeerBlock {
  transactionsTrieIsValid(): Promise<boolean>
  uncleHashIsValid(): boolean
  withdrawalsTrieIsValid(): Promise<boolean>
}

type Common = object

interface Packages {
  readonly rlp: { readonly RLP: { encode(item: number): Uint8Array; decode(bytes: Uint8Array): Nested } }
  readonly mpt: { readonly MerklePatriciaTrie: new (options: { common?: Common }) => Trie }
  readonly vm: {
    readonly Bloom: new (bits: undefined, common?: Common) => { add(item: Uint8Array): void; bitvector: Uint8Array }
    encodeReceipt(receipt: object, type: number): Uint8Array
  }
  readonly block: { createBlockFromBytesArray(values: Nested[], options: object): PeerBlock }
  readonly common: { readonly Common: new (options: object) => Common; readonly Mainnet: object }
  readonly util: { bytesToBigInt(bytes: Uint8Array): bigint; equalsBytes(a: Uint8Array, b: Uint8Array): boolean }
}

export interface EthereumJs {
  /** Undefined takes what the packages come with, @noble/hashes. */
  validateReceipts(header: BlockHeader, bytes: Uint8Array, keccak?: Keccak): Promise<boolean>
  validateBody(header: BlockHeader, bytes: Uint8Array): Promise<boolean>
}

/** Undefined where the peers of bench/ are not installed. */
export async function loadEthereumJs(): Promise<EthereumJs | undefined> {
  const load = <Name extends keyof Packages>(name: Name) => loadPeer<Packages[Name]>(`@ethereumjs/${name}`)
  const [rlp, mpt, vm, block, common, util] = await Promise.all([
    load('rlp'),
    load('mpt'),
    load('vm'),
    load('block'),
    load('common'),
    load('util'),
  ])
  if (!rlp || !mpt || !vm || !block || !common || !util) return undefined
  return using({ rlp, mpt, vm, block, common, util })
}

function using({ rlp, mpt, vm, block, common, util }: Packages): EthereumJs {
  return {
    async validateReceipts(header, bytes, keccak) {
      const custom = keccak && new common.Common({ chain: common.Mainnet, customCrypto: { keccak256: keccak } })
      const trie = new mpt.MerklePatriciaTrie(custom === undefined ? {} : { common: custom })
      const receipts = rlp.RLP.decode(bytes) as StoredReceipt[]
      for (const [index, [type, outcome, gas, logs]] of receipts.entries()) {
        const bloom = new vm.Bloom(undefined, custom)
        for (const [address, topics] of logs) {
          bloom.add(address)
          for (const topic of topics) bloom.add(topic)
        }
        const receipt = {
          ...(outcome.length === 32 ? { stateRoot: outcome } : { status: outcome.length }),
          cumulativeBlockGasUsed: util.bytesToBigInt(gas),
          bitvector: bloom.bitvector,
          logs,
        }
        await trie.put(rlp.RLP.encode(index), vm.encodeReceipt(receipt, type[0] ?? 0))
      }
      return util.equalsBytes(trie.root(), header.receiptsRoot)
    },
    async validateBody(header, bytes) {
      const parts = rlp.RLP.decode(bytes) as Nested[]
      const made = block.createBlockFromBytesArray([rlp.RLP.decode(header.bytes), ...parts], {
        common: new common.Common({ chain: common.Mainnet }),
        setHardfork: true,
      })
      return (
        (await made.transactionsTrieIsValid()) &&
        made.uncleHashIsValid() &&
        (header.withdrawalsRoot === undefined || (await made.withdrawalsTrieIsValid()))
      )
    },
  }
}
