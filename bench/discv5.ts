import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { systemRandomness } from 'spimpl-runtime'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { type DiscoveryInput, Discv5 } from '../src/discv5/discv5.ts'
import { newPrivateKey } from '../src/identity/keys.ts'
import { endpointEntries, PublishableRecord } from '../src/identity/publishable-record.ts'
import type { Datagram, Endpoint } from '../src/transport/datagram.ts'
import { type Contender, rowOf, sideBySide } from './measurement.ts'
import { absent, benchDirectory } from './peers.ts'
import { type BenchOptions, type BenchReport, type BenchRow, ratioOf } from './report.ts'

const CHAINSAFE = '@chainsafe/discv5'
const PAYLOAD_BYTES = 1100
const BATCH = 32
const IN_FLIGHT = 64

/** Packets sealed and opened, and TALKREQ round trips between two processes on loopback. */
export async function run({ quick, runs = 5 }: BenchOptions): Promise<BenchReport> {
  const version = chainsafeVersion()
  const notes = [version === undefined ? absent(CHAINSAFE) : `${CHAINSAFE} ${version}`]
  const packets = await packetRows(quick ? 2_000 : 20_000, runs)
  const seconds = quick ? 1 : 3
  const directory = path.dirname(fileURLToPath(import.meta.url))
  const ends = [{ peer: 'spimpl', script: path.join(directory, 'peers', 'spimpl-discv5.js') }]
  if (version !== undefined)
    ends.push({ peer: CHAINSAFE, script: path.join(benchDirectory, 'peers', 'chainsafe-discv5.mjs') })
  const trips = await roundTripRows(ends, seconds, runs)
  const rows = [...packets, ...trips]
  const ratios: Record<string, number> = {}
  for (const [name, subject, above, below] of [
    ['sealVsChainsafe', 'seal', CHAINSAFE, 'spimpl'],
    ['openVsChainsafe', 'open', CHAINSAFE, 'spimpl'],
    ['roundTripsVsChainsafe', 'talk round trips', 'spimpl', CHAINSAFE],
  ] as const) {
    const ratio = ratioOf(rows, subject, above, below)
    if (ratio !== undefined) ratios[name] = ratio
  }
  return { rows, ratios, notes }
}

/** Its exports map hides package.json from `require`, so the file is read. */
function chainsafeVersion(): string | undefined {
  const file = path.join(benchDirectory, 'node_modules', CHAINSAFE, 'package.json')
  if (!existsSync(file)) return undefined
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}

/** A TALKREQ of 1,100 bytes is sealed into a packet and opened again, through all of the core but without a socket. */
async function packetRows(operations: number, runs: number): Promise<BenchRow[]> {
  const chainsafe = await chainsafePackets()
  const ours = sessionPair()
  const payloads = Array.from({ length: BATCH }, () => new Uint8Array(PAYLOAD_BYTES))
  const seal: Contender[] = [
    {
      peer: 'spimpl',
      operations,
      run(count) {
        for (let done = 0; done < count; done += BATCH) ours.seal(payloads)
      },
    },
  ]
  let sealed: Datagram[][] = []
  const open: Contender[] = [
    {
      peer: 'spimpl',
      operations,
      prepare() {
        sealed = []
        for (let done = 0; done < operations; done += BATCH) sealed.push([...ours.seal(payloads)])
      },
      run() {
        for (const batch of sealed) ours.open(batch)
      },
    },
  ]
  if (chainsafe !== undefined) {
    const few = Math.ceil(operations / 4)
    const packets: Uint8Array[] = []
    seal.push({
      peer: CHAINSAFE,
      operations: few,
      run(count) {
        for (let done = 0; done < count; done++) chainsafe.seal(payloads[0]!)
      },
    })
    open.push({
      peer: CHAINSAFE,
      operations: few,
      prepare() {
        packets.length = 0
        for (let done = 0; done < few; done++) packets.push(chainsafe.seal(payloads[0]!))
      },
      run() {
        for (const packet of packets) chainsafe.open(packet)
      },
    })
  }
  return [...(await sideBySide('seal', seal, runs)), ...(await sideBySide('open', open, runs))]
}

interface PacketEnds {
  seal(payloads: readonly Uint8Array[]): readonly Datagram[]
  open(batch: readonly Datagram[]): void
}

/** Two cores with a session between them. */
function sessionPair(): PacketEnds {
  const randomness = systemRandomness()
  const protocol = new TextEncoder().encode('utp')
  const wires: { datagrams: Datagram[] }[] = [{ datagrams: [] }, { datagrams: [] }]
  const ends = wires.map((wire, index) => {
    const endpoint: Endpoint = { host: '127.0.0.1', port: 9000 + index }
    const record = new PublishableRecord({
      privateKey: newPrivateKey(randomness, nodeCryptography),
      crypto: nodeCryptography,
      entries: endpointEntries(endpoint),
    })
    const core = new Discv5({ record, crypto: nodeCryptography, randomness, oneWayProtocols: ['utp'] })
    let now = 0
    let received = 0
    const handle = (input: DiscoveryInput): void =>
      core.handle(input, now++, output => {
        if (output.type === 'send') wire.datagrams.push(...output.batch)
        else if (output.type === 'talks-received') received += output.payloads.length
      })
    return { endpoint, record, handle, received: () => received }
  })
  const [a, b] = ends as [(typeof ends)[0], (typeof ends)[0]]
  const take = (index: number): Datagram[] => wires[index]!.datagrams.splice(0)
  const arrive = (batch: readonly Datagram[], from: Endpoint): DiscoveryInput => ({
    type: 'datagrams',
    batch: batch.map(({ bytes }) => ({ endpoint: from, bytes })),
  })
  a.handle({ type: 'ping', ref: 0, to: b.record.current })
  for (let turn = 0; turn < 8; turn++) {
    b.handle(arrive(take(0), a.endpoint))
    a.handle(arrive(take(1), b.endpoint))
  }
  return {
    seal(payloads) {
      a.handle({ type: 'send-talks', to: b.record.current, protocol, payloads })
      return take(0)
    },
    open(batch) {
      const before = b.received()
      b.handle(arrive(batch, a.endpoint))
      take(1)
      if (b.received() !== before + batch.length)
        throw new Error(`expected ${batch.length} talks, got ${b.received() - before}`)
    },
  }
}

/** The modules of the peer that do for one packet what `sessionPair` does. */
interface ChainsafeSession {
  encryptMessage(source: string, target: string, message: Uint8Array): { readonly header: unknown }
  decryptMessage(nonce: Uint8Array, message: Uint8Array, associatedData: Uint8Array): Uint8Array
}
interface ChainsafePacket {
  readonly maskingIv: Uint8Array
  readonly header: { readonly nonce: Uint8Array }
  readonly message: Uint8Array
  readonly messageAd: Uint8Array
}
interface ChainsafeModules {
  readonly Session: new (options: {
    keys: { encryptionKey: Uint8Array; decryptionKey: Uint8Array }
  }) => ChainsafeSession
  encodePacket(target: string, packet: unknown): Uint8Array
  decodePacket(source: string, bytes: Uint8Array): ChainsafePacket
  encode(message: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

async function chainsafePackets(): Promise<
  { seal(payload: Uint8Array): Uint8Array; open(packet: Uint8Array): void } | undefined
> {
  const folder = path.join(benchDirectory, 'node_modules', CHAINSAFE, 'lib')
  let modules: ChainsafeModules
  try {
    const parts = ['session/session.js', 'packet/index.js', 'message/index.js']
    const loaded = await Promise.all(parts.map(part => import(pathToFileURL(path.join(folder, part)).href)))
    modules = Object.assign({}, ...loaded) as ChainsafeModules
  } catch {
    return undefined
  }
  const { Session, encodePacket, decodePacket, encode, decode } = modules
  const key = new Uint8Array(16).fill(7)
  const session = new Session({ keys: { encryptionKey: key, decryptionKey: key } })
  const [source, target] = ['aa'.repeat(32), 'bb'.repeat(32)]
  const protocol = Buffer.from('utp')
  return {
    seal(payload) {
      const message = encode({ type: 5, id: 0x0101_0101_0101_0101n, protocol, request: Buffer.from(payload) })
      return encodePacket(target, session.encryptMessage(source, target, message))
    },
    open(bytes) {
      const packet = decodePacket(target, bytes)
      decode(session.decryptMessage(packet.header.nonce, packet.message, packet.messageAd))
    },
  }
}

/**
 * TALKREQs of 100 bytes, 64 in flight, answered with the same bytes. Each end is a process, and each run starts two.
 */
async function roundTripRows(
  ends: readonly { readonly peer: string; readonly script: string }[],
  seconds: number,
  runs: number,
): Promise<BenchRow[]> {
  const figures = new Map<string, number[]>(ends.map(({ peer }) => [peer, []]))
  for (let run = 0; run < runs; run++) {
    for (const { peer, script } of ends) figures.get(peer)!.push(await roundTrips(script, seconds))
  }
  return ends.map(({ peer }) => rowOf('talk round trips', peer, 'throughput', 'round trips/s', figures.get(peer)!))
}

async function roundTrips(script: string, seconds: number): Promise<number> {
  const server = fork(script, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const client = fork(script, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    const [{ enr }] = await Promise.all([told<{ enr: string }>(server), told(client)])
    client.send({ ask: enr, inFlight: IN_FLIGHT, payloadBytes: 100, seconds })
    const { perSecond, failed } = await told<{ perSecond: number; failed: number }>(client)
    if (failed > 0) console.error(`discv5: ${failed} requests failed of ${path.basename(script)}`)
    return perSecond
  } finally {
    server.kill()
    client.kill()
  }
}

function told<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as Message))
    child.once('exit', code => reject(new Error(`the process ended with ${code} before it answered`)))
  })
}
