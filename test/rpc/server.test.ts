import { request } from 'node:http'
import { connect } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import { SpimplError } from '../../src/errors.ts'
import { MAX_CONTENT_BYTES } from '../../src/history/content/refusal.ts'
import { RPC_LIMITS, RpcServer } from '../../src/rpc/server/rpc-server.ts'
import { absentKey, content, knownKey, parse, scriptedApi } from '../testing/rpc/scripted-api.ts'
import { type RpcResponse, serve } from '../testing/rpc/test-server.ts'

const body = (id: unknown, method: string, params?: unknown) => ({ jsonrpc: '2.0', id, method, params })
const version = (id: unknown) => body(id, 'web3_clientVersion')

/** A promise that a test settles. */
function gate<T>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => {}
  const opened = new Promise<T>(resolve => {
    open = resolve
  })
  return { opened, open }
}

test('listens on loopback and a free port unless told otherwise, and says which', async t => {
  await using server = await serve()
  t.is(server.server.host, '127.0.0.1')
  t.true(server.server.port > 0)
  t.is(server.server.url, `http://127.0.0.1:${server.server.port}`)
})

test('a port in use is ADDRESS_IN_USE, naming address and flag', async t => {
  await using server = await serve()
  const { port } = server.server
  const error = await t.throwsAsync(RpcServer.listen({ api: scriptedApi(), parseRecord: parse, port }), {
    code: 'ADDRESS_IN_USE',
  })
  t.true(error?.message.includes(`127.0.0.1:${port}`) && error.message.includes('--rpc-port'))
  await t.throwsAsync(RpcServer.listen({ api: scriptedApi(), parseRecord: parse, port: 0, host: '192.0.2.1' }), {
    code: 'ADDRESS_INVALID',
    message: /192.0.2.1:0.*--rpc-host/,
  })
  const nowhere = { api: scriptedApi(), parseRecord: parse, port: 0, host: 'nowhere.invalid' }
  await t.throwsAsync(RpcServer.listen(nowhere), { code: 'ADDRESS_INVALID', message: /nowhere.invalid:0/ })
})

test('a name is listened on at one address, and may be asked by that name', async t => {
  await using server = await serve(scriptedApi(), { host: 'localhost' })
  t.true(['127.0.0.1', '::1'].includes(server.server.host))
  t.is((await server.call('web3_clientVersion')).error, undefined)
})

test('GET /health is 200 when ready and 503 when not', async t => {
  await using ready = await serve()
  const answer = await fetch(`${ready.server.url}/health`)
  t.is(answer.status, 200)
  t.like((await answer.json()) as object, { ready: true })
  await using starting = await serve(scriptedApi({ health: async () => ({ ready: false, phase: 'starting' }) }))
  t.is((await fetch(`${starting.server.url}/health`)).status, 503)
  const restarts = () => Promise.reject(new SpimplError('ACTOR_FAILED', '/network/storage failed'))
  await using restarting = await serve(scriptedApi({ health: restarts }))
  const unready = await fetch(`${restarting.server.url}/health`)
  t.is(unready.status, 503)
  t.deepEqual(await unready.json(), { ready: false, reason: 'ACTOR_FAILED' })
  t.is(restarting.reported.length, 0)
  await using broken = await serve(scriptedApi({ health: () => Promise.reject(new Error('secret')) }))
  const failed = await fetch(`${broken.server.url}/health`)
  t.is(failed.status, 500)
  t.false((await failed.text()).includes('secret'))
  t.is(broken.reported.length, 1)
})

test('the id comes back as it was: string, number, null', async t => {
  await using server = await serve()
  for (const id of ['x', 7, 1.5, null, '']) {
    t.is(((await (await server.post(JSON.stringify(version(id)))).json()) as RpcResponse).id, id)
  }
})

test('an id that no double holds comes back as the client wrote it', async t => {
  await using server = await serve()
  const answer = async (text: string): Promise<string> => (await server.post(text)).text()
  const call = (id: string, more = '') => `{${more} "jsonrpc": "2.0", "id": ${id}, "method": "web3_clientVersion"}`
  const numbers = [
    '9007199254740993',
    '-9007199254740993',
    '18446744073709551615',
    '1e400',
    '1.00000000000000000001e40',
  ]
  for (const id of numbers) t.true((await answer(call(id))).startsWith(`{"jsonrpc":"2.0","id":${id},"result":`), id)
  // Not what only looks like the id: in a text, in a member, in an earlier member of the same name.
  const decoys = '"a":"\\"id\\":1", "b\\\\":{"id":2,"c":["id",{"id":3}]}, "id":4, "method":"id", "extra":[[],[5]],'
  t.true((await answer(call(numbers[0]!, decoys))).startsWith(`{"jsonrpc":"2.0","id":${numbers[0]},"result":`))
  t.true((await answer(call(numbers[1]!).replace('"id"', '"\\u0069\\u0064"'))).includes(`"id":${numbers[1]},`))
  t.true((await answer(`{"id":${numbers[0]}}`)).startsWith(`{"jsonrpc":"2.0","id":${numbers[0]},"error":`))
  // Two that are one as doubles, among calls without such an id.
  const batch = [
    call('9007199254740992'),
    '[{"id":6}, 7]',
    '"id"',
    call('"x"'),
    call('8'),
    call(numbers[0]!),
    call('null'),
  ]
  const ids = [...(await answer(` [${batch.join(' , ')}]`)).matchAll(/"jsonrpc":"2.0","id":([^,]+),/g)].map(
    found => found[1],
  )
  t.deepEqual(ids, ['9007199254740992', 'null', 'null', '"x"', '8', numbers[0], 'null'])
})

test('what is no JSON is -32700, what is no request is -32600', async t => {
  await using server = await serve()
  const ask = async (text: string) => (await (await server.post(text)).json()) as RpcResponse
  for (const text of ['', '{', 'x', '{"a":}', '\u0000', '[1,']) {
    t.like(await ask(text), { id: null, error: { code: -32700 } }, text)
  }
  const invalid: unknown[] = [
    1,
    'x',
    null,
    true,
    {},
    { jsonrpc: '1.0', id: 1, method: 'a' },
    { jsonrpc: '2.0', id: 1 },
    [],
  ]
  invalid.push({ jsonrpc: '2.0', id: 1, method: 1 }, { jsonrpc: '2.0', id: [], method: 'a' })
  invalid.push({ jsonrpc: '2.0', id: 1, method: 'web3_clientVersion', params: 5 })
  for (const message of invalid) t.is((await ask(JSON.stringify(message))).error?.code, -32600, JSON.stringify(message))
  t.is((await ask(JSON.stringify({ id: 9, method: 'web3_clientVersion' }))).id, 9)
})

test('a batch is answered in its order, notifications are not', async t => {
  await using server = await serve()
  const calls = [version(1), { jsonrpc: '2.0', method: 'web3_clientVersion' }, body('b', 'nothing'), 5, version(null)]
  const responses = (await (await server.post(JSON.stringify(calls))).json()) as RpcResponse[]
  t.deepEqual(
    responses.map(({ id, error }) => [id, error?.code]),
    [
      [1, undefined],
      ['b', -32601],
      [null, -32600],
      [null, undefined],
    ],
  )
  for (const silent of [{ jsonrpc: '2.0', method: 'nothing' }, [{ jsonrpc: '2.0', method: 'web3_clientVersion' }]]) {
    const response = await server.post(JSON.stringify(silent))
    t.is(response.status, 204)
    t.is(await response.text(), '')
  }
})

test('a batch above the limit is refused whole', async t => {
  await using server = await serve(scriptedApi(), { limits: { batchCalls: 3 } })
  const response = await server.post(JSON.stringify([1, 2, 3, 4].map(version)))
  t.like((await response.json()) as RpcResponse, { id: null, error: { code: -32005 } })
  const accepted = await server.post(JSON.stringify([1, 2, 3].map(version)))
  t.is(((await accepted.json()) as RpcResponse[]).length, 3)
})

test('when the responses of a batch are too many bytes, the calls after them are refused', async t => {
  await using server = await serve(scriptedApi(), { limits: { batchResponseCharacters: 100, batchConcurrency: 1 } })
  const responses = (await (await server.post(JSON.stringify([1, 2, 3].map(version)))).json()) as RpcResponse[]
  t.deepEqual(
    responses.map(({ id, error }) => [id, error?.code]),
    [
      [1, undefined],
      [2, undefined],
      [3, -32005],
    ],
  )
})

test('3 MB of content go in and out', async t => {
  const large = new Uint8Array(3_000_000).fill(0xab)
  let stored: Uint8Array | undefined
  const api = scriptedApi({
    history: {
      store: async (_, value) => {
        stored = value
        return true
      },
      local: async () => large,
    },
  })
  await using server = await serve(api)
  const hex = `0x${Buffer.from(large).toString('hex')}`
  t.is((await server.call('portal_historyStore', [knownKey, hex])).result, true)
  t.deepEqual(Buffer.compare(stored!, large), 0)
  t.is((await server.call('portal_historyLocalContent', [knownKey])).result, hex)
})

test('a body above the limit is 413 with a JSON-RPC error that names the limit', async t => {
  await using server = await serve(scriptedApi(), { limits: { bodyBytes: 1000 } })
  const response = await server.post(JSON.stringify(body(1, 'x', ['0'.repeat(1000)])))
  t.is(response.status, 413)
  const { error } = (await response.json()) as RpcResponse
  t.is(error?.code, -32005)
  t.regex(error?.message ?? '', /1000 bytes/)
})

test('a body above the limit is 413 where its length is not said beforehand', async t => {
  await using server = await serve(scriptedApi(), { limits: { bodyBytes: 1000 } })
  const answered = gate<number>()
  const sent = request({ host: '127.0.0.1', port: server.server.port, method: 'POST', path: '/' }, response => {
    response.resume()
    answered.open(response.statusCode ?? 0)
  })
  sent.on('error', () => {})
  sent.write('x'.repeat(1001))
  t.is(await answered.opened, 413)
  t.is((await server.call('web3_clientVersion')).error, undefined)
})

test('any content type is read as JSON-RPC, and other paths and verbs are told what there is', async t => {
  await using server = await serve()
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8']) {
    const response = await server.post(JSON.stringify(version(1)), { 'content-type': type })
    t.is(((await response.json()) as RpcResponse).id, 1, type)
  }
  const lost = await fetch(`${server.server.url}/nowhere`)
  t.is(lost.status, 404)
  t.regex(((await lost.json()) as RpcResponse).error?.message ?? '', /POST \/ or GET \/health/)
  for (const [path, method, allowed] of [
    ['/', 'GET', 'POST'],
    ['/?x=1', 'OPTIONS', 'POST'],
    ['/health', 'DELETE', 'GET, HEAD'],
  ] as const) {
    const refused = await fetch(server.server.url + path, { method })
    t.is(refused.status, 405, `${method} ${path}`)
    t.is(refused.headers.get('allow'), allowed)
    t.regex(((await refused.json()) as RpcResponse).error?.message ?? '', /POST \/ or GET \/health/)
  }
})

/** fetch does not let a Host header be set. */
function postWithHeaders(port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/', headers }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(version(1)))
  })
}

test('a page of another site is refused, by Host (DNS rebinding) and by Origin', async t => {
  await using server = await serve()
  const { port } = server.server
  for (const host of [`127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, `[::1]:${port}`, 'node.localhost']) {
    t.is(await postWithHeaders(port, { host }), 200, host)
  }
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) {
    t.is(await postWithHeaders(port, { host }), 403, host)
  }
  t.is(await postWithHeaders(port, { host: 'a b' }), 400)
  const own = `localhost:${port}`
  t.is(await postWithHeaders(port, { host: own, origin: `http://${own}` }), 200)
  for (const origin of ['http://evil.example', 'null', `http://localhost:${port + 1}`]) {
    t.is(await postWithHeaders(port, { host: own, origin }), 403, origin)
  }
})

test('a client that goes away aborts its call', async t => {
  const seen = gate<AbortSignal>()
  const api = scriptedApi({
    history: {
      get: (_, { signal } = {}) => {
        seen.open(signal!)
        return new Promise(() => {})
      },
    },
  })
  await using server = await serve(api)
  const aborted = gate<void>()
  const controller = new AbortController()
  const answer = fetch(server.server.url, {
    method: 'POST',
    body: JSON.stringify(body(1, 'portal_historyGetContent', [knownKey])),
    signal: controller.signal,
  })
  const signal = await seen.opened
  signal.addEventListener('abort', () => aborted.open())
  controller.abort()
  await t.throwsAsync(answer, { any: true })
  await aborted.opened
  t.true(signal.aborted)
})

test('a call that takes too long is -32002, and its signal fires', async t => {
  const api = scriptedApi({ history: { get: () => new Promise(() => {}) } })
  await using server = await serve(api, { limits: { callTimeoutMs: 20 } })
  const { error } = await server.call('portal_historyGetContent', [knownKey])
  t.is(error?.code, -32002)
  t.regex(error?.message ?? '', /20 ms/)
  t.true(api.calls[0]?.signal.aborted)
})

test('more calls than the limit at once are refused with -32005', async t => {
  const answer = gate<undefined>()
  const first = gate<void>()
  const api = scriptedApi({
    history: {
      get: () => {
        first.open()
        return answer.opened
      },
    },
  })
  await using server = await serve(api, { limits: { callsInFlight: 1 } })
  const waiting = server.call('portal_historyGetContent', [absentKey])
  await first.opened
  t.is((await server.call('web3_clientVersion')).error?.code, -32005)
  answer.open(undefined)
  t.is((await waiting).error?.code, -39001)
  t.is((await server.call('web3_clientVersion')).error, undefined)
})

test('close lets calls in flight finish', async t => {
  const answer = gate<{ content: Uint8Array; utpTransfer: boolean }>()
  const started = gate<void>()
  const api = scriptedApi({
    history: {
      get: () => {
        started.open()
        return answer.opened
      },
    },
  })
  const { server, call, post } = await serve(api)
  const waiting = post(JSON.stringify(body(1, 'portal_historyGetContent', [knownKey])))
  await started.opened
  const closed = server.close({ deadlineMs: 60_000 })
  answer.open({ content, utpTransfer: false })
  const response = await waiting
  // A connection that is kept would be waited for.
  t.is(response.headers.get('connection'), 'close')
  const { result } = (await response.json()) as RpcResponse
  t.deepEqual(result, { content: '0xc2c0c0', utpTransfer: false })
  await closed
  await t.throwsAsync(call('web3_clientVersion'))
  await server.close()
})

test('while calls in flight finish, a request on a kept connection is 503', async t => {
  const answer = gate<{ content: Uint8Array; utpTransfer: boolean }>()
  const started = gate<void>()
  const api = scriptedApi({
    history: {
      get: () => {
        started.open()
        return answer.opened
      },
    },
  })
  const { server, call } = await serve(api)
  const waiting = call('portal_historyGetContent', [knownKey])
  await started.opened
  const socket = connect(server.port, '127.0.0.1')
  // The head is half sent, so that the connection is not idle when the server stops.
  await new Promise<void>(resolve => {
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\n', () => resolve())
  })
  // What was sent before this call has been read when it is answered.
  await call('web3_clientVersion')
  const closed = server.close({ deadlineMs: 60_000 })
  const received = new Promise<string>(resolve => {
    let text = ''
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
  socket.write('Content-Length: 2\r\n\r\n{}')
  const text = await received
  t.regex(text, /^HTTP\/1.1 503 [\s\S]*connection: close[\s\S]*-32002/i)
  answer.open({ content, utpTransfer: false })
  t.is((await waiting).error, undefined)
  await closed
})

test('at the deadline of close, calls in flight end with an error', async t => {
  const started = gate<void>()
  const api = scriptedApi({
    history: {
      get: () => {
        started.open()
        return new Promise(() => {})
      },
    },
  })
  const { server, call } = await serve(api)
  const waiting = call('portal_historyGetContent', [knownKey])
  await started.opened
  await server.close({ deadlineMs: 1 })
  t.like(await waiting, { error: { code: -32002 } })
})

test('a connection that sends half a request does not hold up close', async t => {
  const { server } = await serve()
  const socket = connect(server.port, '127.0.0.1')
  await new Promise<void>(resolve => {
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{', () => resolve())
  })
  socket.on('error', () => {})
  socket.resume()
  const ended = new Promise<void>(resolve => {
    socket.on('close', () => resolve())
  })
  await server.close({ deadlineMs: 10 })
  await ended
  t.pass()
})

test('property: any JSON is answered or passed over, and the server goes on', async t => {
  await using server = await serve()
  const methods = [
    'portal_historyGetContent',
    'portal_historyPing',
    'portal_historyOffer',
    'discv5_updateNodeInfo',
    'rpc.discover',
  ]
  const call = fc.record(
    {
      jsonrpc: fc.oneof({ weight: 5, arbitrary: fc.constant('2.0') }, fc.jsonValue()),
      id: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
      method: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...methods) }, fc.jsonValue()),
      params: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.oneof(call, fc.array(call, { maxLength: 4 })).map(message => JSON.stringify(message)) },
    fc.json(),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(text, async sent => {
      const response = await server.post(sent)
      const answer = await response.text()
      if (response.status === 204) {
        t.is(answer, '')
        return
      }
      t.is(response.status, 200)
      const parsed = JSON.parse(answer) as RpcResponse | RpcResponse[]
      for (const one of [parsed].flat()) {
        t.is(one.jsonrpc, '2.0')
        t.true('result' in one !== 'error' in one)
        if (one.error !== undefined) t.not(one.error.code, -32603, sent)
      }
    }),
    { numRuns: 300 },
  )
  t.deepEqual(server.reported, [])
  t.is((await server.call('web3_clientVersion')).error, undefined)
})

test('the largest content item, in hex, with its call around it, is within the limit on a body', t => {
  const params = [`0x00${'ff'.repeat(8)}`, '']
  const around = JSON.stringify({ jsonrpc: '2.0', id: Number.MAX_SAFE_INTEGER, method: 'portal_historyStore', params })
  t.true(RPC_LIMITS.bodyBytes >= 2 * MAX_CONTENT_BYTES + 2 + around.length)
})
