import test from 'ava'
import { z } from 'zod'
import { SpimplError } from '../../src/errors.ts'
import { RpcError } from '../../src/rpc/dispatching/rpc-errors.ts'
import { absentKey, knownKey, other, peer, scriptedApi, self, unknownId } from '../testing/rpc/scripted-api.ts'
import { serve, type TestServer } from '../testing/rpc/test-server.ts'

// Shapes written down from jsonrpc/src/schemas and jsonrpc/src/content of the specification. Node ids of traces are
// uint256 there, without leading zeros; ours have them, as those of every client.
const hexString = z.string().regex(/^0x([0-9a-f]{2})*$/)
const bytes32 = z.string().regex(/^0x[0-9a-f]{64}$/)
const uint256 = z.string().regex(/^0x([1-9a-f][0-9a-f]{0,63}|0)$/)
const enr = z.string().regex(/^enr:[a-zA-Z0-9_:-]+$/)
const enrs = z.array(enr)
const table = z.strictObject({ localNodeId: bytes32, buckets: z.array(z.array(bytes32).max(16)) })
const trace = z.strictObject({
  origin: bytes32,
  targetId: bytes32,
  receivedFrom: bytes32.optional(),
  responses: z.record(
    bytes32,
    z.strictObject({ durationMs: z.int().min(0), durationsMs: z.int().min(0), respondedWith: z.array(bytes32) }),
  ),
  metadata: z.record(bytes32, z.strictObject({ enr, distance: uint256 })),
  cancelled: z.array(bytes32),
  startedAtMs: z.int().min(0),
})
const content = z.strictObject({ content: hexString, utpTransfer: z.boolean() })
const putContent = z.strictObject({
  storedLocally: z.boolean(),
  peerCount: z.number(),
  acceptMetadata: z.strictObject({
    acceptedCount: z.number(),
    genericDeclineCount: z.number(),
    alreadyStoredCount: z.number(),
    notWithinRadiusCount: z.number(),
    rateLimitedCount: z.number(),
    transferInProgressCount: z.number(),
  }),
})
const capabilities = z.strictObject({ clientInfo: z.string(), dataRadius: uint256, capabilities: z.array(z.number()) })
const pong = z.strictObject({ enrSeq: z.number(), payloadType: z.literal(0), payload: capabilities })

const id = peer.nodeIdHex
const happy: [method: string, params: unknown[], shape: z.ZodType, result?: unknown][] = [
  ['discv5_nodeInfo', [], z.strictObject({ enr, nodeId: bytes32 }), { enr: self.text, nodeId: self.nodeIdHex }],
  ['discv5_updateNodeInfo', ['192.0.2.1:9'], z.strictObject({ enr, nodeId: bytes32, localNodeId: bytes32 })],
  ['discv5_routingTableInfo', [], table],
  ['discv5_addEnr', [peer.text], z.boolean(), true],
  ['discv5_getEnr', [id], enr, peer.text],
  ['discv5_deleteEnr', [id], z.boolean(), true],
  ['discv5_lookupEnr', [id], enr, peer.text],
  [
    'discv5_ping',
    [peer.text],
    z.strictObject({ enrSeq: z.number(), recipientIP: z.string(), recipientPort: z.string().regex(/^[1-9]\d{0,4}$/) }),
  ],
  ['discv5_findNode', [peer.text, [256, 255]], enrs, [peer.text, other.text]],
  ['discv5_talkReq', [peer.text, '0x5000', '0x01'], hexString, '0x500001'],
  ['discv5_recursiveFindNodes', [id], enrs, [other.text, peer.text]],
  ['portal_historyRoutingTableInfo', [], table],
  ['portal_historyAddEnr', [peer.text], z.boolean(), true],
  ['portal_historyGetEnr', [id], enr, peer.text],
  ['portal_historyDeleteEnr', [unknownId], z.boolean(), false],
  ['portal_historyLookupEnr', [id], enr, peer.text],
  ['portal_historyPing', [peer.text], pong],
  ['portal_historyFindNodes', [peer.text, [0]], enrs],
  ['portal_historyFindContent', [peer.text, knownKey], content, { content: '0xc2c0c0', utpTransfer: true }],
  ['portal_historyFindContent', [peer.text, absentKey], z.strictObject({ enrs }), { enrs: [other.text] }],
  [
    'portal_historyOffer',
    [
      peer.text,
      [
        [knownKey, '0xc0'],
        [absentKey, '0x'],
      ],
    ],
    hexString,
    '0x0202',
  ],
  ['portal_historyRecursiveFindNodes', [id], enrs],
  ['portal_historyGetContent', [knownKey], content, { content: '0xc2c0c0', utpTransfer: true }],
  ['portal_historyTraceGetContent', [knownKey], content.extend({ trace })],
  ['portal_historyStore', [knownKey, '0xc0'], z.boolean(), true],
  ['portal_historyLocalContent', [knownKey], hexString, '0xc2c0c0'],
  ['portal_historyPutContent', [knownKey, '0xc0'], putContent],
  ['web3_clientVersion', [], z.string(), 'spimpl/0.1.0/linux-x64/node20'],
  ['rpc_modules', [], z.record(z.string(), z.string()), { discv5: '1.0', portal: '1.0', web3: '1.0', rpc: '1.0' }],
  ['rpc.discover', [], z.looseObject({ openrpc: z.string(), methods: z.array(z.looseObject({ name: z.string() })) })],
]

let shared: TestServer
test.before(async () => {
  shared = await serve()
})
test.after.always(() => shared.server.close())

for (const [method, params, shape, result] of happy) {
  test(`${method}(${params.length}) has the result of the specification${result === undefined ? '' : `: ${JSON.stringify(result).slice(0, 40)}`}`, async t => {
    const response = await shared.call(method, params)
    t.is(response.error, undefined)
    const parsed = shape.safeParse(response.result)
    t.true(parsed.success, parsed.error?.message)
    if (result !== undefined) t.deepEqual(response.result, result)
  })
}

test('rpc.discover names every method with its parameters', async t => {
  const { result } = await shared.call('rpc.discover')
  const { methods } = result as { methods: { name: string; params: { name: string; required: boolean }[] }[] }
  t.is(methods.filter(method => method.name.startsWith('portal_history')).length, 15)
  t.is(methods.filter(method => method.name.startsWith('discv5_')).length, 11)
  const ping = methods.find(method => method.name === 'portal_historyPing')
  t.deepEqual(
    ping?.params.map(param => [param.name, param.required]),
    [
      ['enr', true],
      ['payloadType', false],
      ['payload', false],
    ],
  )
})

const errors: [method: string, params: unknown, code: number, message: RegExp, data?: unknown][] = [
  ['portal_historyGetContent', [absentKey], -39001, /content not found/],
  ['portal_historyLocalContent', [absentKey], -39001, /content not found/],
  ['portal_historyGetEnr', [unknownId], -32000, /routing table/, { code: 'PEER_UNKNOWN' }],
  ['discv5_lookupEnr', [unknownId], -32000, /no node/, { code: 'PEER_UNKNOWN' }],
  ['portal_historyGetContent', [], -32602, /^Invalid params: contentKey: missing$/],
  ['portal_historyGetContent', [null], -32602, /contentKey: missing/],
  ['portal_historyGetContent', ['0x0'], -32602, /contentKey: expected 1 to 2048 bytes as 0x-prefixed hex.*got "0x0"$/],
  ['portal_historyGetContent', ['00'], -32602, /got "00"$/],
  ['portal_historyGetContent', ['0x'], -32602, /got "0x"$/],
  ['portal_historyGetContent', [5], -32602, /contentKey: .*got 5$/],
  ['portal_historyGetContent', [knownKey, 1], -32602, /at most 1 parameters \(contentKey\), got 2/],
  ['portal_historyGetContent', { key: knownKey }, -32602, /of the names contentKey, got "key"/],
  ['portal_historyStore', [knownKey, `0x${'0'.repeat(999)}`], -32602, /contentValue: .*got "0x0{60,80}\.\.\.$/],
  ['portal_historyGetEnr', ['0x12'], -32602, /nodeId: expected 32 bytes.*"0x12"/],
  ['portal_historyAddEnr', ['enr:abc'], -32602, /enr: expected a valid node record \(ENR_/],
  ['portal_historyAddEnr', [`${peer.text.slice(0, 60)}AAAA${peer.text.slice(64)}`], -32602, /ENR_/],
  [
    'portal_historyFindNodes',
    [peer.text, [1, 257]],
    -32602,
    /distances\[1\]: expected a log distance from 0 to 256, got 257/,
  ],
  ['portal_historyFindNodes', [peer.text, [1.5]], -32602, /distances\[0\]: .*got 1.5/],
  ['portal_historyFindNodes', [peer.text, []], -32602, /distances: expected at least one/],
  ['portal_historyFindNodes', [peer.text, 'x'], -32602, /distances: expected an array of log distances, got "x"/],
  ['portal_historyOffer', [peer.text, []], -32602, /at least one content item/],
  [
    'portal_historyOffer',
    [peer.text, Array(65).fill([knownKey, '0x'])],
    -32602,
    /at most 64 content items, got an array of 65/,
  ],
  ['portal_historyOffer', [peer.text, [[knownKey]]], -32602, /content_items\[0\]/],
  ['portal_historyOffer', [peer.text, [[knownKey, 'zz']]], -32602, /content_items\[0\]\[1\]: .*got "zz"/],
  ['discv5_updateNodeInfo', ['nowhere'], -32602, /socketAddr: expected an address and a port/],
  ['portal_historyPing', [peer.text, null, { dataRadius: '0x1' }], -39006, /Payload type is required/],
  [
    'portal_historyPing',
    [peer.text, 1, { dataRadius: 'x' }],
    -39005,
    /Failed to decode payload/,
    { detail: 'payload.dataRadius: expected a uint256 as 0x-prefixed hex' },
  ],
  ['portal_historyPing', [peer.text, 1, 'text'], -39005, /Failed to decode payload/],
  ['portal_historyPing', [peer.text, 0, { dataRadius: '0x1' }], -39005, /Failed to decode payload/],
  ['portal_historyPing', [peer.text, 2], -39004, /not supported/, { reason: 'subnetwork' }],
  ['portal_historyPing', [peer.text, 4242], -39004, /not supported/, { reason: 'client' }],
  ['portal_historyPing', [peer.text, 65535, { errorCode: 1, message: '' }], -39007, /blocked/],
  ['portal_historyPing', [peer.text, 65536], -32602, /payloadType: expected an integer from 0 to 65535, got 65536/],
  ['portal_historyNothing', [], -32601, /Method not found: "portal_historyNothing"/],
  ['toString', [], -32601, /Method not found/],
  ['__proto__', [], -32601, /Method not found/],
]

for (const [method, params, code, message, data] of errors) {
  const given = JSON.stringify(params, (_, value: unknown) => (value === peer.text ? 'enr' : value)).slice(0, 60)
  test(`${method} ${given} is ${code} ${message}`, async t => {
    const { error, result } = await shared.call(method, params)
    t.is(result, undefined)
    t.is(error?.code, code)
    t.regex(error?.message ?? '', message)
    if (data !== undefined) t.deepEqual(error?.data, data)
  })
}

test('content that is not found with a trace is -39002, its data the trace', async t => {
  const { error } = await shared.call('portal_historyTraceGetContent', [absentKey])
  t.is(error?.code, -39002)
  t.true(trace.safeParse(error?.data).success)
})

test('parameters may come by name, optional ones as null', async t => {
  // Of its own: other tests call the shared one meanwhile.
  await using server = await serve()
  const named = await server.call('portal_historyFindNodes', { distances: [3, 3, 4], enr: peer.text })
  t.deepEqual(named.result, [peer.text, other.text])
  t.deepEqual(server.api.calls.at(-1)?.given[1], [3, 4])
  for (const params of [[peer.text, null, null], [peer.text, 0, null], { enr: peer.text, payloadType: null }]) {
    const { result } = await server.call('portal_historyPing', params)
    t.true(pong.safeParse(result).success)
  }
})

test('a ping carries the payload that the user gave', async t => {
  const api = scriptedApi()
  await using server = await serve(api)
  const payload = { clientInfo: 'x', dataRadius: '0x00ff', capabilities: [0, 1] }
  const { result } = await server.call('portal_historyPing', [peer.text, 0, payload])
  t.deepEqual(result, { enrSeq: 5, payloadType: 0, payload: { ...payload, dataRadius: '0xff' } })
  t.deepEqual(api.calls[0]?.given.slice(1), [
    { payloadType: 0, payload: { payloadType: 0, clientInfo: 'x', radius: 255n, capabilities: [0, 1] } },
  ])
  const basic = await server.call('portal_historyPing', [peer.text, 1])
  t.deepEqual(basic.result, { enrSeq: 5, payloadType: 1, payload: { dataRadius: '0x0' } })
})

test('a sequence number above 2^53 is written exactly', async t => {
  const response = await shared.post(`{"jsonrpc":"2.0","id":1,"method":"discv5_ping","params":["${peer.text}"]}`)
  t.regex(await response.text(), /"enrSeq":18446744073709551615,/)
})

test('an address becomes pairs of the record', async t => {
  const api = scriptedApi()
  await using server = await serve(api)
  await server.call('discv5_updateNodeInfo', ['192.0.2.1:9009', false])
  await server.call('discv5_updateNodeInfo', ['/[2001:db8::1]:80', true])
  await server.call('discv5_updateNodeInfo', [[['eth', '0xc0']]])
  const given = api.calls.map(call => call.given[0])
  t.deepEqual(given[0], { ip: Uint8Array.of(192, 0, 2, 1), udp: 9009 })
  t.deepEqual(given[1], { ip6: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1), tcp6: 80 })
  t.deepEqual(given[2], { eth: Uint8Array.of(0xc0) })
})

test('a SpimplError becomes its number; what is none becomes -32603 and says nothing', async t => {
  const thrown: [unknown, number, RegExp, unknown][] = [
    [
      new SpimplError('CONTENT_INVALID', 'receipts root differs'),
      -32602,
      /^Invalid params: contentValue: receipts root differs$/,
      { code: 'CONTENT_INVALID' },
    ],
    [
      new SpimplError('CONTENT_KEY_INVALID', 'no such selector'),
      -32602,
      /^Invalid params: contentKey: no such selector$/,
      { code: 'CONTENT_KEY_INVALID' },
    ],
    [
      new SpimplError('REQUEST_TIMEOUT', 'no answer in 500 ms'),
      -32000,
      /^no answer in 500 ms$/,
      { code: 'REQUEST_TIMEOUT' },
    ],
    [new SpimplError('CONTENT_NOT_FOUND', 'x'), -39001, /content not found/, undefined],
    [new SpimplError('PORTAL_PAYLOAD_UNSUPPORTED', 'x'), -39004, /not supported/, { reason: 'client' }],
    [new RpcError(-39003, 'own'), -39003, /^own$/, undefined],
    [new TypeError('secret /home/me/x.js'), -32603, /^Internal error$/, undefined],
    ['a string', -32603, /^Internal error$/, undefined],
  ]
  for (const [error, code, message, data] of thrown) {
    const api = scriptedApi({ history: { store: () => Promise.reject(error) } })
    await using server = await serve(api)
    const response = await server.call('portal_historyStore', [knownKey, '0xc0'])
    t.is(response.error?.code, code)
    t.regex(response.error?.message ?? '', message)
    t.deepEqual(response.error?.data, data)
    t.deepEqual(server.reported, code === -32603 ? [error] : [])
  }
})
