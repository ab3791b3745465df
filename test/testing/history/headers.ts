import { EMPTY_OMMERS_HASH } from '../../../src/history/content/body.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/history/content/ordered-trie.ts'
import { type BlockHeader, makeHeader } from '../../../src/history/headers/header.ts'

const root = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/** The header of an empty block of no particular chain. */
export function headerOf(number: bigint, fork: 'amsterdam' | 'prague' | 'frontier' = 'prague'): BlockHeader {
  return makeHeader({
    parentHash: root(1),
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: new Uint8Array(20).fill(2),
    stateRoot: root(3),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: 1_700_000_000n,
    extraData: Uint8Array.of(1, 2, 3),
    mixHash: root(4),
    nonce: new Uint8Array(8),
    ...(fork !== 'frontier' && {
      baseFeePerGas: 7n,
      withdrawalsRoot: EMPTY_TRIE_ROOT,
      blobGasUsed: 0n,
      excessBlobGas: 0x20000n,
      parentBeaconBlockRoot: root(5),
      requestsHash: root(6),
    }),
    ...(fork === 'amsterdam' && { blockAccessListHash: root(7), slotNumber: 2n ** 63n }),
  })
}
