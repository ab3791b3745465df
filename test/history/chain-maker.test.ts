import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import { type Input, RLP } from 'rlp'
import { toHex } from '../../src/codec/hex.ts'
import { createNodeCryptography, nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { nobleSecp256k1 } from '../../src/crypto/secp256k1-noble.ts'
import { unwrap } from '../../src/errors.ts'
import { MAX_MADE_BLOCKS, makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { validateBody } from '../../src/history/content/body.ts'
import { validateReceipts } from '../../src/history/content/receipts.ts'
import { formatBlockFile, loadBlocks } from '../../src/history/headers/block-file.ts'
import { decodeHeader } from '../../src/history/headers/header.ts'
import { recoverAuthority, recoverSender, type SignedTransaction } from '../../src/wallet/transaction.ts'
import { decodeTransaction } from '../../src/wallet/transaction-decoder.ts'
import {
  consensusReceiptsRoot,
  type ReferenceReceipt,
  referenceBloom,
  referenceTrieRoot,
} from '../testing/history/reference.ts'

const chain = makeChain({ seed: 3, blocks: 8 })

/** The parts of a body, by the reference. */
function bodyOf(body: Uint8Array): { transactions: Uint8Array[]; ommers: Input[]; withdrawals: Uint8Array[] } {
  const [transactions, ommers, withdrawals] = RLP.decode(body) as [Input[], Input[], Input[]]
  return {
    transactions: transactions.map(item => (item instanceof Uint8Array ? item : RLP.encode(item))),
    ommers,
    withdrawals: withdrawals.map(item => RLP.encode(item)),
  }
}

function receiptsOf(receipts: Uint8Array): ReferenceReceipt[] {
  const list = RLP.decode(receipts) as [Uint8Array, Uint8Array, Uint8Array, [Uint8Array, Uint8Array[], Uint8Array][]][]
  return list.map(([type, outcome, cumulativeGas, logs]) => ({
    type: type[0] ?? 0,
    outcome,
    cumulativeGas: Number(`0x${Buffer.from(cumulativeGas).toString('hex') || '0'}`),
    logs: logs.map(([address, topics, data]) => ({ address, topics, data })),
  }))
}

const transactionsOf = (body: Uint8Array): SignedTransaction[] =>
  bodyOf(body).transactions.map(bytes => unwrap(decodeTransaction(bytes)))

test('every made block validates', t => {
  for (const { header, body, receipts } of chain) {
    t.deepEqual(unwrap(decodeHeader(header.bytes)), header)
    t.true(validateBody(header, body).ok)
    t.true(validateReceipts(header, receipts).ok)
  }
})

test('the roots and blooms are those of the reference', t => {
  for (const { header, body, receipts } of chain) {
    const { transactions, ommers, withdrawals } = bodyOf(body)
    const list = receiptsOf(receipts)
    t.deepEqual(header.transactionsRoot, referenceTrieRoot(transactions))
    t.deepEqual(header.withdrawalsRoot, referenceTrieRoot(withdrawals))
    t.deepEqual(header.receiptsRoot, consensusReceiptsRoot(list))
    t.deepEqual(header.logsBloom, referenceBloom(list.flatMap(({ logs }) => logs)))
    t.is(ommers.length, 0)
  }
})

test('the headers link, and follow the rules of gas, fees, time and blobs', t => {
  for (const [at, { number, header, body, receipts }] of chain.entries()) {
    t.is(number, BigInt(at + 1))
    t.is(header.number, number)
    t.true(header.gasUsed <= header.gasLimit)
    t.is(header.gasUsed, BigInt(receiptsOf(receipts).at(-1)?.cumulativeGas ?? 0))
    const blobs = transactionsOf(body).reduce((sum, tx) => sum + (tx.type === 3 ? tx.blobVersionedHashes.length : 0), 0)
    t.is(header.blobGasUsed, BigInt(blobs) * 131_072n)
    t.true(blobs <= 9)
    const parent = chain[at - 1]?.header
    if (parent === undefined) continue
    t.deepEqual(header.parentHash, parent.hash)
    t.true(header.timestamp > parent.timestamp)
    const [fee, was, target] = [header.baseFeePerGas!, parent.baseFeePerGas!, parent.gasLimit / 2n]
    const distance = parent.gasUsed > target ? parent.gasUsed - target : target - parent.gasUsed
    const change = (was * distance) / target / 8n
    t.is(fee, parent.gasUsed > target ? was + change : was - change)
    const excess = parent.excessBlobGas! + parent.blobGasUsed! - 786_432n
    t.is(header.excessBlobGas, excess > 0n ? excess : 0n)
  }
})

test('all types of transaction, each signed by an account whose nonce counts up, and paying the base fee', t => {
  const nonces = new Map<string, bigint>()
  const use = (account: Uint8Array | undefined, nonce: bigint) => {
    t.truthy(account)
    const name = toHex(account!)
    t.is(nonce, nonces.get(name) ?? 0n)
    nonces.set(name, nonce + 1n)
  }
  const types = new Set<number>()
  for (const { header, body } of chain) {
    for (const transaction of transactionsOf(body)) {
      types.add(transaction.type)
      use(recoverSender(transaction, nodeCryptography), transaction.nonce)
      if (transaction.type === 4) {
        for (const authorization of transaction.authorizationList) {
          use(recoverAuthority(authorization, nodeCryptography), authorization.nonce)
        }
      }
      const fee = 'gasPrice' in transaction ? transaction.gasPrice : transaction.maxFeePerGas
      t.true(fee >= header.baseFeePerGas!)
    }
  }
  t.deepEqual([...types].sort(), [0, 1, 2, 3, 4])
})

test('receipts have the types of their transactions and growing gas; those of failed transactions have no logs', t => {
  const outcomes = new Set<number>()
  for (const { body, receipts } of chain) {
    const list = receiptsOf(receipts)
    const transactions = transactionsOf(body)
    t.deepEqual(
      list.map(({ type }) => type),
      transactions.map(({ type }) => type),
    )
    let gas = 0
    for (const [index, { outcome, cumulativeGas, logs }] of list.entries()) {
      t.true(BigInt(cumulativeGas - gas) <= transactions[index]!.gasLimit)
      t.true(cumulativeGas - gas >= 21_000)
      gas = cumulativeGas
      outcomes.add(outcome.length)
      if (outcome.length === 0) t.is(logs.length, 0)
    }
  }
  t.deepEqual([...outcomes].sort(), [0, 1])
})

test('two blocks are enough to see both an inline answer and a transfer', t => {
  const [small, large] = makeChain({ seed: 9, blocks: 2 })
  // A found-content answer has room for about 1,100 bytes in one packet.
  t.true(small!.body.length < 1000 && small!.receipts.length < 1000, `${small!.body.length}, ${small!.receipts.length}`)
  t.true(
    large!.body.length > 300_000 && large!.receipts.length > 100_000,
    `${large!.body.length}, ${large!.receipts.length}`,
  )
})

test('a seed determines every byte, with any secp256k1 implementation; another seed makes another chain', t => {
  const noble = createNodeCryptography(nobleSecp256k1)
  t.deepEqual(makeChain({ seed: 3, blocks: 3, crypto: noble }), chain.slice(0, 3))
  t.notDeepEqual(makeChain({ seed: 4, blocks: 1 })[0]?.header.hash, chain[0]?.header.hash)
})

test('the number of blocks is bounded', t => {
  t.deepEqual(makeChain({ seed: 1, blocks: 0 }), [])
  for (const blocks of [-1, 1.5, MAX_MADE_BLOCKS + 1]) {
    t.throws(() => makeChain({ seed: 1, blocks }), { instanceOf: RangeError })
  }
})

test('profiles: megabytes, more blob transactions than a block has room for, and too much', t => {
  const profile = { transactions: 100, dataBytes: 2_000, logs: 60, logBytes: 200, withdrawals: 1 }
  const [block] = makeChain({ seed: 1, blocks: 1, profiles: [profile] })
  t.true(block!.receipts.length > 1_500_000)
  t.true(validateBody(block!.header, block!.body).ok)
  t.true(validateReceipts(block!.header, block!.receipts).ok)
  t.is(transactionsOf(block!.body).filter(({ type }) => type === 3).length, 9)
  const tooMuch = { ...profile, dataBytes: 200_000 }
  t.throws(() => makeChain({ seed: 1, blocks: 1, profiles: [tooMuch] }), { message: /at most 300000000 gas/ })
  t.throws(() => makeChain({ seed: 1, blocks: 1, profiles: [] }), { instanceOf: RangeError })
})

test('a made chain survives its files', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-chain-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  for (const block of chain) await writeFile(path.join(directory, `${block.number}.yaml`), formatBlockFile(block))
  t.deepEqual(await loadBlocks(directory), chain)
})
