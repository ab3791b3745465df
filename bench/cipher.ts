import { spawnSync } from 'node:child_process'
import { backendInfo, cipher, DispatchQueue, NativeJobs } from 'node-dispatch-addon'
import { systemRandomness } from 'spimpl-runtime'
import type { CipherJob } from '../src/crypto/cryptography.ts'
import { nativeCryptography } from '../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { type Contender, rowOf, sideBySide } from './measurement.ts'
import { hasProgram } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf, round } from './report.ts'

/** A full packet of a uTP stream, and as many as one turn brings. */
const PACKET_BYTES = 1150
const BATCH = 64
const TAG_BYTES = 16

const NODE = 'node:crypto createCipheriv'
const OPENSSL = 'openssl speed'
const QUEUE = 'spimpl, on a libdispatch queue'

/** Batches of packets through AES-128-GCM: sealed and opened in one call, or packet by packet as node:crypto does it. */
export async function run(options: BenchOptions): Promise<BenchReport> {
  const runs = options.runs ?? (options.quick ? 2 : 7)
  const native = nativeCryptography(nodeCryptography)
  const random = systemRandomness()
  const batch: CipherJob[] = Array.from({ length: BATCH }, (_, index) => ({
    // Four sessions: packets of one turn come from few peers.
    key: new Uint8Array(16).fill(index % 4),
    nonce: random.bytes(12),
    associatedData: random.bytes(71),
    data: random.bytes(PACKET_BYTES),
  }))
  const sealedBatch = nodeCryptography.seal(batch).map((data, index) => ({ ...batch[index]!, data }))
  // Long enough that memory is reused as in a node that has been running for a while.
  const operations = BATCH * (options.quick ? 20 : 1_500)

  const contender = (peer: string, work: () => unknown): Contender => ({
    peer,
    operations,
    async run(count) {
      for (let done = 0; done < count; done += BATCH) await work()
    },
  })
  const seal = [contender(NODE, () => nodeCryptography.seal(batch))]
  const open = [contender(NODE, () => nodeCryptography.open(sealedBatch))]
  if (cipher !== undefined) {
    seal.unshift(contender('spimpl', () => native.seal(batch)))
    open.unshift(contender('spimpl', () => native.open(sealedBatch)))
  }
  if (cipher !== undefined && backendInfo().libdispatch.found) {
    const jobs = new NativeJobs(new DispatchQueue('bench.cipher', { target: DispatchQueue.global('user-initiated') }))
    seal.push(contender(QUEUE, () => jobs.seal(batch)))
    open.push(contender(QUEUE, () => jobs.open(sealedBatch)))
  }
  const rows: BenchRow[] = [
    ...(await sideBySide(`seal ${PACKET_BYTES} B`, seal, runs)),
    ...(await sideBySide(`open ${PACKET_BYTES} B`, open, runs)),
  ]
  const notes = [`OpenSSL of node: ${backendInfo().openssl.detail}; batches of ${BATCH}, tag ${TAG_BYTES} B`]
  const ratios: Record<string, number> = {}
  for (const [name, subject] of [
    ['sealVsCreateCipheriv', `seal ${PACKET_BYTES} B`],
    ['openVsCreateDecipheriv', `open ${PACKET_BYTES} B`],
  ] as const) {
    const ratio = ratioOf(rows, subject, NODE, 'spimpl')
    if (ratio !== undefined) ratios[name] = ratio
  }

  const own = opensslNanoseconds(options.quick ? 1 : Math.min(runs, 3))
  if (own === undefined) notes.push('the program openssl is not installed here, its own figure is missing')
  else {
    rows.push(rowOf(`seal ${PACKET_BYTES} B`, OPENSSL, 'time', 'ns/op', own))
    // How much of the cipher's own speed is left. Another program cannot be timed in turn with this one, so the best run of
    // each is compared: a busy machine slows the rest.
    const best = (peer: string) => rows.find(row => row.subject === `seal ${PACKET_BYTES} B` && row.peer === peer)?.min
    const ours = best('spimpl')
    const theirs = best(OPENSSL)
    if (ours !== undefined && theirs !== undefined) ratios.shareOfOpenssl = round(theirs / ours)
  }
  if (cipher === undefined) notes.push(`no native cipher here: ${backendInfo().addon.reasons.join('; ')}`)
  return { rows, ratios, notes }
}

/** The system's OpenSSL, seconds of one thread each. */
function opensslNanoseconds(runs: number): number[] | undefined {
  if (!hasProgram('openssl')) return undefined
  const figures: number[] = []
  for (let run = 0; run < runs; run++) {
    const { stdout } = spawnSync(
      'openssl',
      ['speed', '-elapsed', '-evp', 'aes-128-gcm', '-bytes', String(PACKET_BYTES), '-seconds', '1'],
      { encoding: 'utf8' },
    )
    const kilobytes = /AES-128-GCM\s+([\d.]+)k/i.exec(stdout ?? '')?.[1]
    if (kilobytes !== undefined) figures.push((PACKET_BYTES / (Number(kilobytes) * 1000)) * 1e9)
  }
  return figures.length > 0 ? figures : undefined
}
