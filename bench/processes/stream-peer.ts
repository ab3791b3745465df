import { behavior, type Ref, System } from 'spimpl-runtime'
import { discovery } from '../../actors/discovery.ts'
import type { StreamEvent, StreamMessage } from '../../actors/stream.ts'
import { streams } from '../../actors/streams.ts'
import { type TransportSnapshot, transport } from '../../actors/transport.ts'
import { nativeCryptography } from '../../src/crypto/native-cryptography.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { unwrap } from '../../src/errors.ts'
import { newPrivateKey } from '../../src/identity/keys.ts'
import { parseRecord } from '../../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord } from '../../src/identity/publishable-record.ts'
import { openDatagramSocket } from '../../src/transport/node-dgram.ts'

/** What the measuring process tells a peer, and hears from it. */
export type PeerCommand =
  | { readonly type: 'expect'; readonly from: string; readonly connectionId: number; readonly bytes: number }
  | { readonly type: 'send'; readonly to: string; readonly connectionId: number; readonly bytes: number }
  | { readonly type: 'counters' }

export type PeerReport =
  | { readonly type: 'ready'; readonly enr: string }
  /** The sum of all bytes modulo 2^32, so that a transfer that lost one is seen. */
  | {
      readonly type: 'received'
      readonly connectionId: number
      readonly bytes: number
      readonly sum: number
      readonly reason: string
    }
  | { readonly type: 'sent'; readonly connectionId: number; readonly reason: string; readonly stats: unknown }
  | { readonly type: 'counters'; readonly transport: TransportSnapshot; readonly residentBytes: number }

const CHUNK_BYTES = 1024 * 1024
const LIMIT_BYTES = 1024 * 1024 * 1024

const say = (report: PeerReport): void => {
  process.send?.(report)
}

/** A node without overlay, store and RPC: three rows of the table, and the streams. */
async function main(): Promise<void> {
  const crypto = process.env.SPIMPL_BENCH_CRYPTO === 'node' ? nodeCryptography : nativeCryptography(nodeCryptography)
  const system = new System({ name: 'peer' })
  const socket = { open: openDatagramSocket, host: '127.0.0.1', port: 0, receiveBufferBytes: 4 * 1024 * 1024 }
  const transportRef = system.spawn(transport(socket), { name: 'transport' })
  const snapshot = (): Promise<TransportSnapshot> =>
    transportRef.ask(replyTo => ({ type: 'snapshot', replyTo }), { timeoutMs: 5000 })
  const { local } = await snapshot()
  const privateKey = newPrivateKey(system.randomness, crypto)
  const record = new PublishableRecord({ privateKey, crypto, entries: endpointEntries(local) })
  const discoveryRef = system.spawn(
    discovery({ record, crypto, transport: transportRef, adoptAddress: false, bootstrap: [] }),
    { name: 'discovery' },
  )
  const streamsRef = system.spawn(streams({ discovery: discoveryRef }), { name: 'streams' })

  const reader = (connectionId: number) =>
    behavior<StreamEvent>(context => {
      let stream: Ref<StreamMessage> | undefined
      let received = 0
      let sum = 0
      return {
        'stream-opened': message => {
          stream = message.stream
        },
        'stream-data': ({ chunks, bytes }) => {
          received += bytes
          for (const chunk of chunks) for (let at = 0; at < chunk.length; at += 61) sum = (sum + chunk[at]!) >>> 0
          stream?.tell({ type: 'read', bytes })
        },
        'stream-writable': () => {},
        'stream-ended': () => {},
        'stream-delivered': () => {},
        'stream-closed': ({ reason }) => {
          say({ type: 'received', connectionId, bytes: received, sum, reason })
          context.stop()
        },
      }
    })

  const writer = (connectionId: number, total: number) =>
    behavior<StreamEvent>(context => {
      let stream: Ref<StreamMessage> | undefined
      let left = total
      const write = (): void => {
        if (left === 0) return
        const bytes = Buffer.alloc(Math.min(left, CHUNK_BYTES), 0x5a)
        left -= bytes.length
        stream?.tell({ type: 'write', bytes })
        if (left === 0) stream?.tell({ type: 'finish' })
      }
      return {
        'stream-opened': message => {
          stream = message.stream
          write()
        },
        'stream-data': () => {},
        'stream-writable': write,
        'stream-ended': () => {},
        'stream-delivered': () => {},
        'stream-closed': ({ reason, stats }) => {
          say({ type: 'sent', connectionId, reason, stats })
          context.stop()
        },
      }
    })

  process.on('message', (command: PeerCommand) => {
    if (command.type === 'counters') {
      void snapshot().then(counters =>
        say({ type: 'counters', transport: counters, residentBytes: process.memoryUsage.rss() }),
      )
      return
    }
    const { connectionId, bytes } = command
    const limits = { maxReceiveBytes: LIMIT_BYTES, maxSendBytes: LIMIT_BYTES }
    const expecting = command.type === 'expect'
    const peer = unwrap(parseRecord(expecting ? command.from : command.to, crypto))
    const owner = system.spawn(expecting ? reader(connectionId) : writer(connectionId, bytes))
    streamsRef.tell({ type: expecting ? 'expect' : 'initiate', peer, connectionId, owner, limits })
  })
  say({ type: 'ready', enr: record.current.text })
}

void main()
