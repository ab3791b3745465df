import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { parse } from 'yaml'
import { concatBytes } from '../../src/codec/bytes.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { decodeRlp, encodeRlp, type RlpItem, readRlp, uintBytes } from '../../src/codec/rlp.ts'
import { nodeCryptography as crypto } from '../../src/crypto/node-cryptography.ts'
import { unwrap } from '../../src/errors.ts'
import { addressOfPublicKey, formatChecksumAddress, parseAccountAddress } from '../../src/wallet/address.ts'
import {
  encodeTransaction,
  recoverAuthority,
  recoverSender,
  type SetCodeTransaction,
  type SignedTransaction,
  signAuthorization,
  signingDigest,
  signTransaction,
  type Transaction,
  transactionHash,
} from '../../src/wallet/transaction.ts'
import { decodeTransaction } from '../../src/wallet/transaction-decoder.ts'
import { vectorsDirectory } from '../vectors.ts'

const hex = (text: string): Uint8Array => unwrap(fromHex(text))
const address = (fill: number): Uint8Array => new Uint8Array(20).fill(fill)

/** The example of EIP-155. */
const EIP155 = {
  privateKey: new Uint8Array(32).fill(0x46),
  transaction: {
    type: 0,
    chainId: 1n,
    nonce: 9n,
    gasPrice: 20n * 10n ** 9n,
    gasLimit: 21_000n,
    to: address(0x35),
    value: 10n ** 18n,
    data: new Uint8Array(0),
  } satisfies Transaction,
  digest: '0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53',
  encoded:
    '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
  sender: '0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F',
}

test('the example of EIP-155', t => {
  t.is(toHex(signingDigest(EIP155.transaction, crypto)), EIP155.digest)
  const signed = signTransaction(EIP155.transaction, EIP155.privateKey, crypto)
  t.is(toHex(encodeTransaction(signed)), EIP155.encoded)
  t.deepEqual(unwrap(decodeTransaction(hex(EIP155.encoded))), signed)
  t.is(formatChecksumAddress(recoverSender(signed, crypto)!, crypto), EIP155.sender)
  t.deepEqual(transactionHash(signed, crypto), crypto.keccak256(hex(EIP155.encoded)))
})

const execution = { gasLimit: 90_000n, value: 5n, data: Uint8Array.of(1, 2, 3) }
const accessList = [
  { address: address(7), storageKeys: [new Uint8Array(32), new Uint8Array(32).fill(9)] },
  { address: address(8), storageKeys: [] },
]
const fees = { chainId: 1n, maxPriorityFeePerGas: 2n, maxFeePerGas: 3n, accessList }
const authority = new Uint8Array(32).fill(0x33)
const authorization = signAuthorization({ chainId: 0n, address: address(1), nonce: 4n }, authority, crypto)

const samples: readonly Transaction[] = [
  { type: 0, chainId: undefined, nonce: 0n, gasPrice: 1n, to: undefined, ...execution },
  { type: 0, chainId: 2n ** 200n, nonce: 1n, gasPrice: 1n, to: address(2), ...execution },
  { type: 1, chainId: 1n, nonce: 2n, gasPrice: 1n, to: undefined, accessList, ...execution },
  { type: 2, ...fees, nonce: 3n, to: address(2), ...execution },
  { type: 2, ...fees, nonce: 3n, to: undefined, ...execution },
  {
    type: 3,
    ...fees,
    nonce: 4n,
    to: address(2),
    ...execution,
    maxFeePerBlobGas: 7n,
    blobVersionedHashes: [Uint8Array.of(1, ...new Uint8Array(31))],
  },
  { type: 4, ...fees, nonce: 5n, to: address(2), ...execution, authorizationList: [authorization] },
]

test('every type signs, encodes, decodes and recovers its sender', t => {
  const privateKey = new Uint8Array(32).fill(0x21)
  const sender = addressOfPublicKey(crypto.publicKey(privateKey), crypto)
  for (const transaction of samples) {
    const signed = signTransaction(transaction, privateKey, crypto)
    const bytes = encodeTransaction(signed)
    const what = `type ${transaction.type}`
    if (transaction.type !== 0) t.is(bytes[0], transaction.type, what)
    t.deepEqual(unwrap(decodeTransaction(bytes)), signed, what)
    t.deepEqual(recoverSender(signed, crypto), sender, what)
    const changed = { ...signed, nonce: signed.nonce + 1n }
    t.notDeepEqual(recoverSender(changed, crypto), sender, `${what}: the signature covers the nonce`)
  }
})

test('an authorization recovers its account', t => {
  const account = addressOfPublicKey(crypto.publicKey(authority), crypto)
  t.deepEqual(recoverAuthority(authorization, crypto), account)
  t.notDeepEqual(recoverAuthority({ ...authorization, nonce: 5n }, crypto), account)
  t.is(recoverAuthority({ ...authorization, yParity: 2 }, crypto), undefined)
  t.is(recoverAuthority({ ...authorization, r: 0n }, crypto), undefined)
})

test('every truncation and extension is refused, and no bytes make the decoder throw', t => {
  for (const transaction of samples) {
    const bytes = encodeTransaction(signTransaction(transaction, authority, crypto))
    for (let length = 0; length < bytes.length; length++) {
      t.is(decodeTransaction(bytes.subarray(0, length)).ok, false)
    }
    t.is(decodeTransaction(concatBytes(bytes, Uint8Array.of(0))).ok, false)
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const spoiled = bytes.slice()
        spoiled[at]! ^= change
        const decoded = decodeTransaction(spoiled)
        // Accepted bytes are the one encoding of their transaction.
        if (decoded.ok) t.deepEqual(encodeTransaction(decoded.value), spoiled)
      }
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      t.is(decodeTransaction(bytes).ok, false)
    }),
  )
})

test('fields are strict', t => {
  const list = (transaction: Transaction): RlpItem[] => {
    const bytes = encodeTransaction(signTransaction(transaction, authority, crypto))
    return [...(unwrap(decodeRlp(transaction.type === 0 ? bytes : bytes.subarray(1))) as RlpItem[])]
  }
  const refused = (transaction: Transaction, field: number, value: RlpItem | undefined): void => {
    const items = list(transaction)
    if (value === undefined) items.splice(field, 1)
    else items[field] = value
    const payload = encodeRlp(items)
    const bytes = transaction.type === 0 ? payload : concatBytes(Uint8Array.of(transaction.type), payload)
    t.like(
      decodeTransaction(bytes),
      { ok: false, code: 'TRANSACTION_INVALID' },
      `type ${transaction.type}, field ${field}: ${JSON.stringify(value)}`,
    )
  }
  const [unprotected, , , feeMarket, , blob, setCode] = samples as [
    Transaction,
    Transaction,
    Transaction,
    Transaction,
    Transaction,
    Transaction,
    Transaction,
  ]
  for (const transaction of samples) {
    refused(transaction, 0, undefined)
    refused(transaction, list(transaction).length, Uint8Array.of(1))
  }
  refused(unprotected, 0, new Uint8Array(9).fill(1)) // nonce of 72 bits
  refused(unprotected, 1, Uint8Array.of(0)) // gas price with a leading zero
  refused(unprotected, 3, new Uint8Array(19)) // to
  refused(unprotected, 3, new Uint8Array(21))
  refused(unprotected, 4, new Uint8Array(33).fill(1)) // value of 264 bits
  for (const v of [0, 1, 26, 29, 34]) refused(unprotected, 6, uintBytes(v))
  refused(unprotected, 7, new Uint8Array(33).fill(1)) // r
  refused(feeMarket, 8, new Uint8Array(0)) // an access list that is a string
  refused(feeMarket, 8, [[address(1)]]) // without its keys
  refused(feeMarket, 8, [[address(1), [new Uint8Array(31)]]])
  refused(feeMarket, 8, [[address(1), [], []]])
  refused(feeMarket, 9, uintBytes(2)) // parity
  refused(blob, 5, new Uint8Array(0)) // a blob transaction that creates a contract
  refused(blob, 10, [])
  refused(blob, 10, [new Uint8Array(32)]) // version 0
  refused(blob, 10, [Uint8Array.of(1, ...new Uint8Array(30))])
  refused(setCode, 5, new Uint8Array(0))
  refused(setCode, 9, [])
  refused(setCode, 9, [[uintBytes(1), address(1), uintBytes(1), uintBytes(256), uintBytes(1), uintBytes(1)]])
  refused(setCode, 9, [[uintBytes(1), address(1), uintBytes(1), uintBytes(1), uintBytes(1)]])
  t.is(decodeTransaction(concatBytes(Uint8Array.of(0), encodeRlp([]))).ok, false, 'type 0 has no type byte')
  t.is(decodeTransaction(concatBytes(Uint8Array.of(5), encodeRlp([]))).ok, false)
})

test('a field out of range is not encoded', t => {
  const wrong: Partial<SetCodeTransaction>[] = [
    { nonce: 2n ** 64n },
    { nonce: -1n },
    { gasLimit: 2n ** 64n },
    { value: 2n ** 256n },
    { to: new Uint8Array(19) },
    { authorizationList: [] },
    { accessList: [{ address: address(1), storageKeys: [new Uint8Array(31)] }] },
  ]
  for (const change of wrong) {
    const transaction = { ...(samples[6] as SetCodeTransaction), ...change }
    t.throws(() => signTransaction(transaction, authority, crypto), { code: 'TRANSACTION_INVALID' })
  }
  t.throws(() => signTransaction(samples[0]!, new Uint8Array(32), crypto), { code: 'KEY_INVALID' })
})

test('a mirrored signature counts only if it may be from before EIP-2', t => {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  for (const transaction of samples) {
    const signed = signTransaction(transaction, authority, crypto)
    const { yParity, r, s } = signed.signature
    const mirrored: SignedTransaction = { ...signed, signature: { yParity: yParity === 0 ? 1 : 0, r, s: order - s } }
    const early = transaction.type === 0 && transaction.chainId === undefined
    t.deepEqual(recoverSender(mirrored, crypto), early ? recoverSender(signed, crypto) : undefined)
    t.is(recoverSender({ ...signed, signature: { yParity, r: 0n, s } }, crypto), undefined)
  }
})

const directory = vectorsDirectory()
const vectorTest = directory === undefined ? test.skip : test

/** The transactions of a real block as in its body: lists, or strings that contain typed ones. */
function blockTransactions(file: string): Uint8Array[] {
  // The failsafe schema, because others read 0x... as a number.
  const block = parse(readFileSync(file, 'utf8'), { schema: 'failsafe' }) as { body: string }
  return unwrap(
    readRlp(hex(block.body), reader => {
      const body = reader.readList()
      const transactions = body.readList()
      const all: Uint8Array[] = []
      while (!transactions.atEnd)
        all.push(transactions.peekIsList() ? transactions.rawItem() : transactions.readBytes())
      while (!body.atEnd) body.skipChecked()
      return all
    }),
  )
}

vectorTest('the senders of real blocks are right: the nonces of each follow one another', t => {
  const folder = path.join(directory!, 'mainnet', 'block-data')
  const types = new Set<number>()
  let followed = 0
  for (const file of readdirSync(folder)) {
    const nonces = new Map<string, bigint>()
    for (const bytes of blockTransactions(path.join(folder, file))) {
      const transaction = unwrap(decodeTransaction(bytes))
      t.deepEqual(encodeTransaction(transaction), Uint8Array.from(bytes))
      const sender = toHex(recoverSender(transaction, crypto)!)
      const previous = nonces.get(sender)
      if (previous !== undefined) {
        t.is(transaction.nonce, previous + 1n, `${file} ${sender}`)
        followed++
      }
      nonces.set(sender, transaction.nonce)
      types.add(transaction.type)
    }
  }
  // A wrong recovery would give every transaction another sender, and no nonce would follow another.
  t.true(followed > 100, `${followed}`)
  t.deepEqual([...types].sort(), [0, 1, 2, 3])
})

test('addresses carry the checksum of EIP-55', t => {
  // The test cases of the EIP.
  const facts = [
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
    '0xde709f2102306220921060314715629080e2fb77',
    '0x27b1fdb04752bbc536007a920d24acb045561c26',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ]
  for (const text of facts) {
    const bytes = parseAccountAddress(text, crypto)
    t.is(formatChecksumAddress(bytes, crypto), text)
    t.deepEqual(parseAccountAddress(text.toLowerCase(), crypto), bytes)
    t.deepEqual(parseAccountAddress(`0x${text.slice(2).toUpperCase()}`, crypto), bytes)
  }
  const wrong = [
    facts[4]!.replace('aA', 'Aa'),
    facts[4]!.slice(0, -1),
    `${facts[4]}00`,
    facts[4]!.slice(2),
    '',
    `0x${'g'.repeat(40)}`,
  ]
  for (const text of wrong) t.throws(() => parseAccountAddress(text, crypto), { code: 'ADDRESS_INVALID' }, text)
  t.throws(() => formatChecksumAddress(new Uint8Array(32), crypto), { code: 'ADDRESS_INVALID' })
  t.throws(() => addressOfPublicKey(new Uint8Array(33), crypto), { code: 'KEY_INVALID' })
})
