import type { TestFn } from 'ava'
import { SpimplError } from '../../src/errors.ts'
import type { Datagram, DatagramSocket, Endpoint, OpenDatagramSocket } from '../../src/transport/datagram.ts'

/** One network under test: how to open sockets on it, and the hosts that they may bind. */
export interface DatagramNetwork {
  readonly name: string
  readonly open: OpenDatagramSocket
  readonly host: string
}

interface Inbox {
  readonly socket: DatagramSocket
  readonly batches: (readonly Datagram[])[]
  /** Resolves once `count` datagrams have arrived; they are in the order of their arrival. */
  arrived(count: number): Promise<readonly Datagram[]>
}

/** The one suite that every implementation of the datagram port passes. */
export function datagramConformance(test: TestFn, network: DatagramNetwork): void {
  const { name, host } = network

  const inbox = async (port = 0, on = host): Promise<Inbox> => {
    const batches: (readonly Datagram[])[] = []
    const waiting: { count: number; resolve: (all: readonly Datagram[]) => void }[] = []
    const all: Datagram[] = []
    const socket = await network.open({
      host: on,
      port,
      onDatagrams(batch) {
        batches.push(batch)
        all.push(...batch)
        for (const waiter of waiting) if (all.length >= waiter.count) waiter.resolve(all)
      },
      onError(error) {
        throw error
      },
    })
    const arrived = (count: number): Promise<readonly Datagram[]> =>
      all.length >= count ? Promise.resolve(all) : new Promise(resolve => waiting.push({ count, resolve }))
    return { socket, batches, arrived }
  }

  const to = (endpoint: Endpoint, ...payloads: readonly Uint8Array[]): Datagram[] =>
    payloads.map(bytes => ({ endpoint, bytes }))

  test(`${name}: port 0 takes a free port, and local says which`, async t => {
    const a = await inbox()
    const b = await inbox()
    t.is(a.socket.local.host, host)
    t.true(a.socket.local.port > 0)
    t.not(a.socket.local.port, b.socket.local.port)
    await Promise.all([a.socket.close(), b.socket.close()])
  })

  test(`${name}: datagrams arrive whole, with the sender's endpoint, to which an answer finds back`, async t => {
    const a = await inbox()
    const b = await inbox()
    a.socket.send(to(b.socket.local, Uint8Array.of(1, 2, 3), new Uint8Array(1280).fill(7)))
    const [first, second] = await b.arrived(2)
    t.deepEqual(new Uint8Array(first!.bytes), Uint8Array.of(1, 2, 3))
    t.deepEqual(new Uint8Array(second!.bytes), new Uint8Array(1280).fill(7))
    t.deepEqual(first!.endpoint, a.socket.local)
    b.socket.send(to(first!.endpoint, Uint8Array.of(9)))
    const [answer] = await a.arrived(1)
    t.deepEqual(new Uint8Array(answer!.bytes), Uint8Array.of(9))
    t.deepEqual(answer!.endpoint, b.socket.local)
    await Promise.all([a.socket.close(), b.socket.close()])
  })

  test(`${name}: what arrives together is delivered together, in order`, async t => {
    const a = await inbox()
    const b = await inbox()
    const payloads = Array.from({ length: 20 }, (_, index) => Uint8Array.of(index))
    a.socket.send(to(b.socket.local, ...payloads))
    const all = await b.arrived(20)
    t.deepEqual(
      all.map(({ bytes }) => bytes[0]),
      payloads.map(payload => payload[0]),
    )
    t.true(b.batches.length < 20, `expected fewer batches than datagrams, got ${b.batches.length}`)
    await Promise.all([a.socket.close(), b.socket.close()])
  })

  test(`${name}: the buffers of one batch do not share memory`, async t => {
    const a = await inbox()
    const b = await inbox()
    a.socket.send(to(b.socket.local, Uint8Array.of(1), Uint8Array.of(2)))
    const [first, second] = await b.arrived(2)
    first!.bytes.fill(0xff)
    t.is(second!.bytes[0], 2)
    await Promise.all([a.socket.close(), b.socket.close()])
  })

  test(`${name}: an empty datagram is one`, async t => {
    const a = await inbox()
    const b = await inbox()
    a.socket.send(to(b.socket.local, new Uint8Array(0), Uint8Array.of(1)))
    const all = await b.arrived(2)
    t.deepEqual(
      all.map(({ bytes }) => bytes.length),
      [0, 1],
    )
    await Promise.all([a.socket.close(), b.socket.close()])
  })

  test(`${name}: one batch may go to many`, async t => {
    const a = await inbox()
    const [b, c] = await Promise.all([inbox(), inbox()])
    a.socket.send([...to(b.socket.local, Uint8Array.of(1)), ...to(c.socket.local, Uint8Array.of(2))])
    const [[atB], [atC]] = await Promise.all([b.arrived(1), c.arrived(1)])
    t.is(atB!.bytes[0], 1)
    t.is(atC!.bytes[0], 2)
    await Promise.all([a.socket.close(), b.socket.close(), c.socket.close()])
  })

  test(`${name}: counters count datagrams and bytes, and errors of sending`, async t => {
    const a = await inbox()
    const b = await inbox()
    a.socket.send(to(b.socket.local, new Uint8Array(10), new Uint8Array(20)))
    await b.arrived(2)
    a.socket.send(to({ host, port: 0 }, Uint8Array.of(1)))
    const { sent, sentBytes, sendErrors } = a.socket.counters()
    t.deepEqual({ sent, sentBytes, sendErrors }, { sent: 2, sentBytes: 30, sendErrors: 1 })
    const { received, receivedBytes, kernelDrops, receiveBufferBytes } = b.socket.counters()
    t.deepEqual({ received, receivedBytes, kernelDrops }, { received: 2, receivedBytes: 30, kernelDrops: 0 })
    t.true(receiveBufferBytes > 0)
    await Promise.all([a.socket.close(), b.socket.close()])
  })

  test(`${name}: an address in use is a typed error that names it`, async t => {
    const a = await inbox()
    const error = await t.throwsAsync(inbox(a.socket.local.port), { instanceOf: SpimplError })
    t.is((error as SpimplError).code, 'ADDRESS_IN_USE')
    t.true(error?.message.includes(`${host}:${a.socket.local.port}`) || error?.message.includes(`[${host}]`))
    await a.socket.close()
    const again = await inbox(a.socket.local.port)
    await again.socket.close()
  })

  test(`${name}: an address that is none is a typed error`, async t => {
    const port = await t.throwsAsync(inbox(70_000), { instanceOf: SpimplError })
    t.is((port as SpimplError).code, 'ADDRESS_INVALID')
    const empty = await t.throwsAsync(inbox(0, ''), { instanceOf: SpimplError })
    t.is((empty as SpimplError).code, 'ADDRESS_INVALID')
  })

  test(`${name}: after close nothing is sent or delivered, and close may be repeated`, async t => {
    const a = await inbox()
    const b = await inbox()
    await b.socket.close()
    a.socket.send(to(b.socket.local, Uint8Array.of(1)))
    b.socket.send(to(a.socket.local, Uint8Array.of(2)))
    t.is(b.socket.counters().sendErrors, 1)
    t.is(b.socket.counters().sent, 0)
    await b.socket.close()
    t.deepEqual(b.batches, [])
    await a.socket.close()
  })
}
