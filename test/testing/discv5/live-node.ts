import { createSocket, type Socket } from 'node:dgram'
import { systemRandomness } from 'spimpl-runtime'
import { nodeCryptography } from '../../../src/crypto/node-cryptography.ts'
import { type DiscoveryInput, type DiscoveryOptions, type DiscoveryOutput, Discv5 } from '../../../src/discv5/discv5.ts'
import { endpointEntries, PublishableRecord } from '../../../src/identity/publishable-record.ts'

/** Receives the outputs of the core, except `send`. */
type OutputListener = (output: DiscoveryOutput, node: LiveNode) => void

/** A core on a real socket and the real clock, for tests with real peers. */
export class LiveNode {
  readonly core: Discv5
  readonly own: PublishableRecord
  readonly #socket: Socket
  readonly #onOutput: OutputListener
  #timer: NodeJS.Timeout | undefined

  private constructor(socket: Socket, options: Partial<DiscoveryOptions>, onOutput: OutputListener) {
    const { address, port } = socket.address()
    const randomness = systemRandomness()
    this.own = new PublishableRecord({
      privateKey: randomness.bytes(32),
      crypto: nodeCryptography,
      entries: endpointEntries({ host: address, port }),
    })
    this.#socket = socket
    this.#onOutput = onOutput
    this.core = new Discv5({ record: this.own, crypto: nodeCryptography, randomness, ...options })
    socket.on('message', (bytes, from) =>
      this.handle({ type: 'datagrams', batch: [{ endpoint: { host: from.address, port: from.port }, bytes }] }),
    )
  }

  static async open(options: Partial<DiscoveryOptions> = {}, onOutput: OutputListener = () => {}): Promise<LiveNode> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, '127.0.0.1', resolve)
    })
    return new LiveNode(socket, options, onOutput)
  }

  handle(input: DiscoveryInput): void {
    const outputs: DiscoveryOutput[] = []
    this.core.handle(input, performance.now(), output => outputs.push(output))
    for (const output of outputs) {
      if (output.type !== 'send') this.#onOutput(output, this)
      else for (const { bytes, endpoint } of output.batch) this.#socket.send(bytes, endpoint.port, endpoint.host)
    }
    this.#arm()
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await new Promise<void>(resolve => this.#socket.close(resolve))
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const deadline = this.core.deadline()
    if (deadline === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.handle({ type: 'timeout' }), Math.max(0, deadline - performance.now()) + 1)
  }
}
