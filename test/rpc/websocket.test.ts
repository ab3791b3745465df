import test from 'ava'
import { WebSocket } from 'ws'
import { content, knownKey, scriptedApi } from '../testing/rpc/scripted-api.ts'
import { type RpcResponse, serve, type TestServer } from '../testing/rpc/test-server.ts'

/** A client that keeps what it receives, in order. */
class Client {
  readonly socket: WebSocket
  readonly #received: string[] = []
  #waiting: ((text: string) => void)[] = []
  readonly closed: Promise<number>

  constructor(url: string, headers: Record<string, string> = {}, autoPong = true) {
    this.socket = new WebSocket(url.replace('http:', 'ws:'), { headers, autoPong })
    this.socket.on('message', data => {
      const text = String(data)
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#received.push(text)
      else waiting(text)
    })
    this.closed = new Promise(resolve => {
      this.socket.on('close', code => resolve(code))
    })
  }

  static async open(server: TestServer, headers?: Record<string, string>): Promise<Client> {
    const client = new Client(server.server.url, headers)
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', () => resolve())
      client.socket.once('error', reject)
    })
    return client
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  async receive(): Promise<RpcResponse & RpcResponse[]> {
    const text = this.#received.shift() ?? (await new Promise<string>(resolve => this.#waiting.push(resolve)))
    return JSON.parse(text) as RpcResponse & RpcResponse[]
  }
}

const version = (id: number) => ({ jsonrpc: '2.0', id, method: 'web3_clientVersion' })

test('requests, batches and faults, on the port of HTTP', async t => {
  await using server = await serve()
  const client = await Client.open(server)
  client.send(version(1))
  t.like(await client.receive(), { id: 1, result: 'spimpl/0.1.0/linux-x64/node20' })
  client.send([version(2), version(3)])
  t.deepEqual(
    (await client.receive()).map(response => response.id),
    [2, 3],
  )
  client.send('{')
  t.like(await client.receive(), { id: null, error: { code: -32700 } })
  client.send({ jsonrpc: '2.0', method: 'web3_clientVersion' })
  client.send(version(4))
  t.is((await client.receive()).id, 4)
})

test('large content is a text too, alone and in a batch', async t => {
  const large = new Uint8Array(300_000).fill(0xab)
  const frames: boolean[] = []
  await using server = await serve(scriptedApi({ history: { local: async () => large } }))
  const client = await Client.open(server)
  client.socket.on('message', (_, isBinary) => frames.push(isBinary))
  const call = { jsonrpc: '2.0', id: 1, method: 'portal_historyLocalContent', params: [knownKey] }
  const result = `0x${'ab'.repeat(large.length)}`
  client.send(call)
  t.true((await client.receive()).result === result)
  client.send([call, version(2), call])
  const answers = await client.receive()
  t.deepEqual(
    answers.map(answer => answer.result === result),
    [true, false, true],
  )
  t.deepEqual(frames, [false, false])
})

test('a slow call does not hold up the next one', async t => {
  let release: (value: undefined) => void = () => {}
  const slow = new Promise<undefined>(resolve => {
    release = resolve
  })
  await using server = await serve(scriptedApi({ history: { get: () => slow } }))
  const client = await Client.open(server)
  client.send({ jsonrpc: '2.0', id: 1, method: 'portal_historyGetContent', params: [knownKey] })
  client.send(version(2))
  t.is((await client.receive()).id, 2)
  release(undefined)
  t.like(await client.receive(), { id: 1, error: { code: -39001 } })
})

test('above its limit of calls at once a connection is not read, and then goes on', async t => {
  let running = 0
  let most = 0
  const api = scriptedApi({
    history: {
      get: async () => {
        most = Math.max(most, ++running)
        await new Promise<void>(resolve => setImmediate(resolve))
        running--
        return { content, utpTransfer: false }
      },
    },
  })
  await using server = await serve(api, { limits: { webSocketCallsInFlight: 4 } })
  const client = await Client.open(server)
  // ws hands out the frames that it has already read, so the bound holds up to one read of the socket.
  const calls = 2000
  const padding = 'x'.repeat(1000)
  for (let id = 0; id < calls; id++) {
    client.send({ jsonrpc: '2.0', id, method: 'portal_historyGetContent', params: [knownKey], padding })
  }
  const ids = new Set<unknown>()
  while (ids.size < calls) ids.add((await client.receive()).id)
  t.is(ids.size, calls)
  t.true(most < 500, `${most} at once`)
})

test('a client that goes away aborts its calls', async t => {
  let seen: (signal: AbortSignal) => void = () => {}
  const started = new Promise<AbortSignal>(resolve => {
    seen = resolve
  })
  const api = scriptedApi({
    history: {
      get: (_, { signal } = {}) => {
        seen(signal!)
        return new Promise(() => {})
      },
    },
  })
  await using server = await serve(api)
  const client = await Client.open(server)
  client.send({ jsonrpc: '2.0', id: 1, method: 'portal_historyGetContent', params: [knownKey] })
  const signal = await started
  const aborted = new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve())
  })
  client.socket.terminate()
  await aborted
  t.true(signal.aborted)
})

test('other sites, and connections above the limit, are refused at the handshake', async t => {
  await using server = await serve(scriptedApi(), { limits: { webSocketConnections: 1 } })
  await t.throwsAsync(Client.open(server, { origin: 'http://evil.example' }), { message: /403/ })
  await t.throwsAsync(Client.open(server, { host: 'evil.example' }), { message: /403/ })
  const own = new URL(server.server.url).host
  const client = await Client.open(server, { origin: `http://${own}` })
  await t.throwsAsync(Client.open(server), { message: /503/ })
  client.socket.close()
  await client.closed
})

test('a message above the limit closes the connection with 1009', async t => {
  await using server = await serve(scriptedApi(), { limits: { bodyBytes: 1000 } })
  const client = await Client.open(server)
  client.send('x'.repeat(1001))
  t.is(await client.closed, 1009)
})

test('close answers what is in flight and says goodbye with 1001', async t => {
  let release: (value: undefined) => void = () => {}
  let seen: () => void = () => {}
  const started = new Promise<void>(resolve => {
    seen = resolve
  })
  const slow = new Promise<undefined>(resolve => {
    release = resolve
  })
  const api = scriptedApi({
    history: {
      get: () => {
        seen()
        return slow
      },
    },
  })
  const server = await serve(api)
  const client = await Client.open(server)
  client.send({ jsonrpc: '2.0', id: 1, method: 'portal_historyGetContent', params: [knownKey] })
  await started
  const closed = server.server.close({ deadlineMs: 60_000 })
  release(undefined)
  t.is((await client.receive()).error?.code, -39001)
  t.is(await client.closed, 1001)
  await closed
})

test('a client that answers no ping is let go', async t => {
  await using server = await serve(scriptedApi(), { limits: { heartbeatMs: 20 } })
  const client = new Client(server.server.url, {}, false)
  t.is(await client.closed, 1006)
})
