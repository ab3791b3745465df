import { keccak_256 } from '@noble/hashes/sha3.js'
import { keccak256 } from '../src/crypto/keccak.ts'
import { type Contender, sideBySide } from './measurement.ts'
import { absent, loadPeer, peerVersion } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

/** What is used of hash-wasm. */
interface HashWasm {
  readonly createKeccak: (bits: number) => Promise<Hasher>
}

interface Hasher {
  init(): Hasher
  update(data: Uint8Array): Hasher
  digest(form: 'binary'): Uint8Array
}

const PEERS = { wasm: 'hash-wasm', javascript: '@noble/hashes' } as const

/** An address or a topic, a trie node, a packet, a large transaction. */
const SIZES = [32, 532, 1024, 100_000]

/** Keccak-256 of inputs of the sizes that a node hashes. */
export async function run(options: BenchOptions): Promise<BenchReport> {
  const runs = options.runs ?? (options.quick ? 2 : 7)
  const peer = await loadPeer<HashWasm>(PEERS.wasm)
  const hasher = await peer?.createKeccak(256)
  const rows: BenchRow[] = []
  const ratios: Record<string, number> = {}
  for (const size of SIZES) {
    const data = new Uint8Array(size).fill(3)
    const subject = `${size} bytes`
    const operations = Math.ceil((options.quick ? 2_000_000 : 20_000_000) / (size + 300))
    const contender = (peer: string, operations: number, hash: (data: Uint8Array) => Uint8Array): Contender => ({
      peer,
      operations,
      run(count) {
        for (let index = 0; index < count; index++) {
          // Each input is the hash of the one before: nothing can be left out or done ahead.
          data.set(hash(data))
        }
      },
    })
    const contenders = [contender('spimpl', operations, keccak256)]
    if (hasher !== undefined) {
      contenders.push(contender(PEERS.wasm, operations, input => hasher.init().update(input).digest('binary')))
    }
    contenders.push(contender(PEERS.javascript, Math.ceil(operations / 10), keccak_256))
    rows.push(...(await sideBySide(subject, contenders, runs)))
    for (const [name, other] of Object.entries(PEERS)) {
      const ratio = ratioOf(rows, subject, other, 'spimpl')
      if (ratio !== undefined) ratios[`${name}${size}`] = ratio
    }
  }
  const note = peer === undefined ? absent(PEERS.wasm) : `${PEERS.wasm} ${peerVersion(PEERS.wasm)}`
  return { rows, ratios, notes: [note] }
}
