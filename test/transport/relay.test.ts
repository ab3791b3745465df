import test from 'ava'
import { systemRandomness } from 'spimpl-runtime'
import type { Datagram, DatagramSocket, Endpoint } from '../../src/transport/datagram.ts'
import { openDatagramSocket } from '../../src/transport/node-dgram.ts'
import { type StreamInput, type StreamOutput, UtpConnection } from '../../src/utp/utp.ts'
import { startRelay } from '../testing/transport/relay.ts'
import { joined, patterned } from '../testing/utp/virtual-link.ts'

/** A stream on a real socket with real timers, as an actor drives it. */
class SocketStream {
  readonly chunks: Uint8Array[] = []
  readonly closed: Promise<Extract<StreamOutput, { type: 'closed' }>>
  readonly #connection: UtpConnection
  readonly #socket: DatagramSocket
  readonly #peer: () => Endpoint
  #resolve!: (closed: Extract<StreamOutput, { type: 'closed' }>) => void
  #timer: NodeJS.Timeout | undefined

  constructor(connection: UtpConnection, socket: DatagramSocket, peer: () => Endpoint) {
    this.#connection = connection
    this.#socket = socket
    this.#peer = peer
    this.closed = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  feed(input: StreamInput): void {
    const outputs: StreamOutput[] = []
    this.#connection.handle(input, performance.now(), output => outputs.push(output))
    clearTimeout(this.#timer)
    const deadline = this.#connection.deadline()
    if (deadline !== Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => this.feed({ type: 'timeout' }), Math.max(0, deadline - performance.now()))
    for (const output of outputs) {
      if (output.type === 'send') this.#socket.send(output.packets.map(bytes => ({ endpoint: this.#peer(), bytes })))
      else if (output.type === 'data') {
        this.chunks.push(...output.chunks)
        this.feed({ type: 'read', bytes: output.bytes })
      } else if (output.type === 'closed') this.#resolve(output)
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

test('a stream of 1.5 MB on real sockets through a relay that loses 2 %, repeats and reorders', async t => {
  let a: SocketStream | undefined
  let b: SocketStream | undefined
  const open = (stream: () => SocketStream | undefined): Promise<DatagramSocket> =>
    openDatagramSocket({
      host: '127.0.0.1',
      port: 0,
      onDatagrams: (batch: readonly Datagram[]) =>
        stream()?.feed({ type: 'packets', packets: batch.map(({ bytes }) => bytes) }),
      onError: error => t.fail(error.message),
    })
  const [socketA, socketB] = await Promise.all([open(() => a), open(() => b)])
  const relay = await startRelay({
    a: socketA.local,
    b: socketB.local,
    seed: 20,
    conditions: { loss: 0.02, duplication: 0.01, delayMs: 2, jitterMs: 3 },
  })
  const randomness = systemRandomness()
  a = new SocketStream(UtpConnection.initiate({ connectionId: 77, randomness }), socketA, () => relay.towardsB)
  b = new SocketStream(UtpConnection.accept({ connectionId: 77, randomness }), socketB, () => relay.towardsA)
  const bytes = patterned(1_500_000)
  b.feed({ type: 'open' })
  b.feed({ type: 'write', bytes })
  b.feed({ type: 'finish' })
  a.feed({ type: 'open' })
  const [reader, writer] = await Promise.all([a.closed, b.closed])
  t.is(reader.reason, 'finished')
  t.is(writer.reason, 'finished')
  t.true(Buffer.compare(joined(a.chunks), bytes) === 0)
  t.true(relay.counters.lost > 0 && relay.counters.reordered > 0 && relay.counters.duplicated > 0)
  t.log(`${Math.round(writer.stats.durationMs)} ms, ${writer.stats.retransmits} retransmits`, relay.counters)
  a.stop()
  b.stop()
  await Promise.all([relay.close(), socketA.close(), socketB.close()])
})
