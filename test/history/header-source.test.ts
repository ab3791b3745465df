import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { toHex } from '../../src/codec/hex.ts'
import { ok, refused } from '../../src/errors.ts'
import type { BlockHeader } from '../../src/history/headers/header.ts'
import { HeaderCache } from '../../src/history/headers/header-cache.ts'
import { HeaderTable } from '../../src/history/headers/header-directory.ts'
import { HeaderRpc, type HeaderRpcOptions } from '../../src/history/headers/header-rpc.ts'
import type { HeaderAnswer, HeaderSource } from '../../src/history/headers/header-source.ts'
import { openHeaderSource } from '../../src/history/headers/open-header-source.ts'
import { headerSourceConformance } from '../conformance/header-source.ts'
import { blocksDirectory, mainnetBlocks } from '../testing/history/blocks.ts'
import { executionClient, jsonOf, METHOD_NOT_FOUND } from '../testing/history/execution-client.ts'
import { headerOf } from '../testing/history/headers.ts'
import { vectorsMissing } from '../vectors.ts'

const vectorTest = blocksDirectory() === undefined ? test.skip : test
if (blocksDirectory() === undefined) console.log(vectorsMissing)

/**
 * A source whose waits between attempts take no time and are written down, and which waits as long as a busy machine
 * needs.
 */
function rpc(url: string, options: HeaderRpcOptions = {}): { source: HeaderRpc; pauses: number[] } {
  const pauses: number[] = []
  const pause = async (delayMs: number) => {
    pauses.push(delayMs)
  }
  return { source: new HeaderRpc(url, { pause, timeoutMs: 60_000, ...options }), pauses }
}

const detailOf = (answer: HeaderAnswer): string => (answer.ok ? 'a header' : `${answer.code}: ${answer.detail}`)

async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-headers-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function directoryOf(t: ExecutionContext, headers: readonly BlockHeader[]): Promise<string> {
  const directory = await temporaryDirectory(t)
  for (const { number, bytes } of headers) {
    await writeFile(path.join(directory, `${number}.yaml`), `header: ${toHex(bytes)}\n`)
  }
  return directory
}

/** A server that has these headers, with the debug methods or without. */
async function clientOf(t: ExecutionContext, headers: readonly BlockHeader[], debug: boolean): Promise<string> {
  const server = await executionClient(t, ({ method, params }) => {
    const header = headers.find(({ number }) => number === BigInt(params[0]!))
    if (method === 'eth_getBlockByNumber') return { result: header === undefined ? null : jsonOf(header) }
    if (!debug) return METHOD_NOT_FOUND
    if (header === undefined) return { error: { code: -32000, message: 'header not found' } }
    return { result: toHex(header.bytes) }
  })
  return server.url
}

headerSourceConformance('a table', async (_, headers) => new HeaderTable(headers, 'the test'))
headerSourceConformance('a directory', async (t, headers) => openHeaderSource(await directoryOf(t, headers)))
headerSourceConformance('a URL', async (t, headers) => openHeaderSource(await clientOf(t, headers, true)))
headerSourceConformance('debug_getRawHeader', async (t, headers) => new HeaderRpc(await clientOf(t, headers, true)))
headerSourceConformance('eth_getBlockByNumber', async (t, headers) => new HeaderRpc(await clientOf(t, headers, false)))

test('an execution client: debug_getRawHeader gives the header as it is', async t => {
  const header = headerOf(0x1234n)
  const server = await executionClient(t, () => ({ result: toHex(header.bytes) }))
  const { source } = rpc(server.url)
  t.deepEqual(await source.headerByNumber(0x1234n), ok(header))
  t.deepEqual(server.methods, ['debug_getRawHeader'])
  t.regex(
    detailOf(await source.headerByNumber(0x1235n)),
    /HEADER_UNAVAILABLE: expected the header of block 4661, got that of 4660/,
  )
})

test('without debug methods, the header of eth_getBlockByNumber is rebuilt; the debug method is not tried again', async t => {
  const headers = [headerOf(7n), headerOf(8n, 'frontier')]
  const server = await executionClient(t, ({ method, params }) => {
    if (method !== 'eth_getBlockByNumber') return METHOD_NOT_FOUND
    return { result: jsonOf(headers.find(({ number }) => number === BigInt(params[0]!))!) }
  })
  const { source } = rpc(server.url)
  for (const header of headers) t.deepEqual(await source.headerByNumber(header.number), ok(header))
  t.deepEqual(server.methods, ['debug_getRawHeader', 'eth_getBlockByNumber', 'eth_getBlockByNumber'])
})

test('a debug method that is forbidden in another way falls back too, and is tried again', async t => {
  const header = headerOf(7n)
  const server = await executionClient(t, ({ method }, response) => {
    if (method === 'eth_getBlockByNumber') return { result: jsonOf(header) }
    response.statusCode = 403
    response.end('not for you')
    return undefined
  })
  const { source } = rpc(server.url)
  t.deepEqual(await source.headerByNumber(7n), ok(header))
  t.deepEqual(await source.headerByNumber(7n), ok(header))
  t.is(server.methods.filter(method => method === 'debug_getRawHeader').length, 2)
})

vectorTest('every real header is rebuilt from JSON', async t => {
  const headers = new Map((await mainnetBlocks()).map(({ number, header }) => [number, header]))
  const server = await executionClient(t, ({ method, params }) =>
    method === 'eth_getBlockByNumber' ? { result: jsonOf(headers.get(BigInt(params[0]!))!) } : METHOD_NOT_FOUND,
  )
  const { source } = rpc(server.url)
  for (const [number, header] of headers) t.deepEqual(await source.headerByNumber(number), ok(header))
})

test('JSON whose header does not have the block hash is refused, and so is malformed JSON', async t => {
  const json = jsonOf(headerOf(7n))
  let answer: unknown
  const server = await executionClient(t, ({ method }) =>
    method === 'eth_getBlockByNumber' ? answer : METHOD_NOT_FOUND,
  )
  const { source } = rpc(server.url)
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ ...json, gasUsed: '0x1' }, /expected block hash 0x[0-9a-f]{64}, got 0x[0-9a-f]{64} rebuilt/],
    [{ ...json, requestsHash: null }, /expected block hash/],
    [{ ...json, blobGasUsed: null }, /older forks/],
    [{ ...json, stateRoot: '0x12' }, /stateRoot: expected 32 bytes/],
    [{ ...json, number: 'seven' }, /number/],
    [{ ...json, extraData: toHex(new Uint8Array(33)) }, /extra data/],
    [{}, /hash/],
    ['text', /JSON/],
    [null, /has no block 0x7/],
  ]
  for (const [result, reason] of cases) {
    answer = { result }
    t.regex(detailOf(await source.headerByNumber(7n)), reason)
  }
  answer = { error: { code: -32000, message: 'header not found' } }
  t.regex(
    detailOf(await source.headerByNumber(7n)),
    /HEADER_UNAVAILABLE: the execution client answered: header not found/,
  )
})

test('a busy server is asked again, each time later, and then given up', async t => {
  const header = headerOf(7n)
  let busy = 2
  const server = await executionClient(t, (_, response) => {
    if (busy === 0) return { result: toHex(header.bytes) }
    busy--
    response.statusCode = busy === 1 ? 503 : 429
    response.end()
    return undefined
  })
  const { source, pauses } = rpc(server.url, { attempts: 3, backoffMs: 100 })
  t.deepEqual(await source.headerByNumber(7n), ok(header))
  t.deepEqual(pauses, [100, 200])
  busy = Number.POSITIVE_INFINITY
  t.regex(detailOf(await source.headerByNumber(7n)), /HTTP status 429/)
  t.is(pauses.length, 4)
})

test('a server that cannot be reached, or does not answer in time, or answers with too much', async t => {
  const server = await executionClient(t, ({ params }, response) => {
    if (params[0] === '0x1') return undefined
    response.write('['.repeat(3_000_000))
    response.write('['.repeat(3_000_000))
    return undefined
  })
  const { source, pauses } = rpc(server.url, { timeoutMs: 40, attempts: 2 })
  t.regex(detailOf(await source.headerByNumber(1n)), /did not answer in time/)
  t.is(pauses.length, 1)
  const large = rpc(server.url, { attempts: 1 })
  t.regex(detailOf(await large.source.headerByNumber(2n)), /at most 4194304 bytes, got more/)
  // Port 1 of loopback: nothing listens there.
  const unreachable = rpc('http://127.0.0.1:1', { attempts: 3 })
  t.regex(detailOf(await unreachable.source.headerByNumber(1n)), /ECONNREFUSED|bad port/)
  t.is(unreachable.pauses.length, 2)
})

test('answers that are no JSON-RPC are refused', async t => {
  let text = ''
  const server = await executionClient(t, (_, response) => {
    response.end(text)
    return undefined
  })
  const { source } = rpc(server.url)
  for (text of ['', 'hello', '[]', '{}', '7', '{"jsonrpc":"2.0","id":99999,"result":"0x"}', 'null']) {
    t.regex(detailOf(await source.headerByNumber(1n)), /expected a JSON-RPC answer to request \d+/, text)
  }
})

test('raw headers that are no header are refused', async t => {
  let result: unknown
  const server = await executionClient(t, () => ({ result }))
  const { source } = rpc(server.url)
  for (result of ['0x', '0xzz', '0xc0', toHex(Uint8Array.of(...headerOf(1n).bytes, 0))]) {
    t.regex(detailOf(await source.headerByNumber(1n)), /HEADER_UNAVAILABLE: the execution client's header/)
  }
})

test('credentials of the URL go into the request, and into no message', async t => {
  const seen: (string | undefined)[] = []
  const server = await executionClient(t, (_, response, { headers }) => {
    seen.push(headers.authorization)
    response.statusCode = 401
    response.end()
    return undefined
  })
  const { source } = rpc(server.url.replace('//', '//user:p%40ss@'))
  const detail = detailOf(await source.headerByNumber(1n))
  t.is(seen[0], `Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  await rpc(server.url.replace('//', '//user:100%@')).source.headerByNumber(1n)
  t.is(seen.at(-1), `Basic ${Buffer.from('user:100%').toString('base64')}`, 'a lone % is one')
  t.notRegex(detail, /p@ss|p%40ss|user/)
})

test('close and the signal abort requests in flight', async t => {
  const server = await executionClient(t, () => undefined)
  const { source } = rpc(server.url)
  const withdraw = new AbortController()
  const asked = source.headerByNumber(1n, withdraw.signal)
  withdraw.abort()
  t.regex(detailOf(await asked), /aborted/)
  const closed = source.headerByNumber(1n)
  await source.close()
  t.regex(detailOf(await closed), /aborted/)
  t.regex(detailOf(await source.headerByNumber(1n)), /aborted/)
})

test('a URL that is no http URL is a mistake of the configuration', async t => {
  t.throws(() => new HeaderRpc('ws://127.0.0.1:8546'), { code: 'CONFIG_INVALID' })
  t.throws(() => new HeaderRpc('nowhere'), { code: 'CONFIG_INVALID' })
  await t.throwsAsync(openHeaderSource('ipc:///tmp/geth.ipc'), { code: 'CONFIG_INVALID' })
})

/** A source under the test's control: answers come when the test says so. */
function scriptedSource(): { source: HeaderSource; asked: bigint[]; answer: (header: HeaderAnswer) => void } {
  const asked: bigint[] = []
  const waiting: ((answer: HeaderAnswer) => void)[] = []
  return {
    asked,
    answer: header => waiting.shift()?.(header),
    source: {
      headerByNumber: number => {
        asked.push(number)
        return new Promise(resolve => waiting.push(resolve))
      },
      close: async () => {},
    },
  }
}

test('the cache sends one request for several callers, and keeps the answer', async t => {
  const { source, asked, answer } = scriptedSource()
  const cache = new HeaderCache(source)
  const all = Promise.all([1, 2, 3].map(() => cache.headerByNumber(7n)))
  answer(ok(headerOf(7n)))
  t.deepEqual(await all, [ok(headerOf(7n)), ok(headerOf(7n)), ok(headerOf(7n))])
  t.deepEqual(await cache.headerByNumber(7n), ok(headerOf(7n)))
  t.deepEqual(asked, [7n])
})

test('the cache looks again for a header that is doubted, keeps the newer one, and answers doubts of the older one with it', async t => {
  const { source, asked, answer } = scriptedSource()
  const cache = new HeaderCache(source)
  const [before, after] = [headerOf(7n), headerOf(7n, 'frontier')]
  const first = cache.headerByNumber(7n)
  answer(ok(before))
  await first
  const doubted = cache.headerByNumber(7n, undefined, before)
  answer(ok(after))
  t.deepEqual(await doubted, ok(after))
  t.deepEqual(await cache.headerByNumber(7n), ok(after))
  t.deepEqual(await cache.headerByNumber(7n, undefined, before), ok(after))
  t.is(asked.length, 2)
  const failed = cache.headerByNumber(7n, undefined, after)
  answer(refused('HEADER_UNAVAILABLE', 'not now'))
  t.false((await failed).ok)
  t.deepEqual(await cache.headerByNumber(7n), ok(after), 'a failure takes nothing away')
})

test('the cache does not keep a failure', async t => {
  const { source, asked, answer } = scriptedSource()
  const cache = new HeaderCache(source)
  const first = cache.headerByNumber(7n)
  answer(refused('HEADER_UNAVAILABLE', 'not now'))
  t.is(detailOf(await first), 'HEADER_UNAVAILABLE: not now')
  const second = cache.headerByNumber(7n)
  answer(ok(headerOf(7n)))
  t.true((await second).ok)
  t.deepEqual(asked, [7n, 7n])
})

test('the cache is bounded and evicts the least recently used header', async t => {
  const asked: bigint[] = []
  const source: HeaderSource = {
    headerByNumber: async number => {
      asked.push(number)
      return ok(headerOf(number))
    },
    close: async () => {},
  }
  const cache = new HeaderCache(source, { capacity: 2 })
  for (const number of [1n, 2n, 1n, 3n, 1n, 2n]) await cache.headerByNumber(number)
  t.deepEqual(asked, [1n, 2n, 3n, 2n])
  t.is(cache.size, 2)
})

test('the cache refuses more questions at a time than its limit', async t => {
  const { source, answer } = scriptedSource()
  const cache = new HeaderCache(source, { maxRequests: 2 })
  const pending = [cache.headerByNumber(1n), cache.headerByNumber(2n)]
  t.regex(detailOf(await cache.headerByNumber(3n)), /2 header requests are in flight already/)
  answer(ok(headerOf(1n)))
  answer(ok(headerOf(2n)))
  t.deepEqual(
    (await Promise.all(pending)).map(({ ok }) => ok),
    [true, true],
  )
})

test('a caller that gives up does not cancel the answer of the others', async t => {
  const { source, asked, answer } = scriptedSource()
  const cache = new HeaderCache(source)
  const abort = new AbortController()
  const gaveUp = cache.headerByNumber(7n, abort.signal)
  const stayed = cache.headerByNumber(7n, new AbortController().signal)
  abort.abort()
  t.regex(detailOf(await gaveUp), /aborted/)
  t.regex(detailOf(await cache.headerByNumber(7n, abort.signal)), /aborted/)
  answer(ok(headerOf(7n)))
  t.true((await stayed).ok)
  t.deepEqual(asked, [7n])
})

test('a directory, or one file, of block YAML', async t => {
  const directory = await temporaryDirectory(t)
  const [first, second] = [headerOf(1n), headerOf(2n, 'frontier')]
  await writeFile(path.join(directory, 'a.yaml'), `header: ${toHex(first.bytes)}\nbody: 0xc2c0c0\nreceipts: 0xc0\n`)
  // Another order, quotes, a comment: YAML all the same.
  await writeFile(path.join(directory, 'b.yml'), `# block 2\nreceipts: "0xc0"\nheader: '${toHex(second.bytes)}'\n`)
  await writeFile(path.join(directory, 'notes.txt'), 'not a block')
  const all = await openHeaderSource(directory)
  t.deepEqual(await all.headerByNumber(1n), ok(first))
  t.deepEqual(await all.headerByNumber(2n), ok(second))
  t.is(detailOf(await all.headerByNumber(3n)), `HEADER_UNAVAILABLE: ${directory} has no block 3`)
  const one = await openHeaderSource(path.join(directory, 'b.yml'))
  t.deepEqual(await one.headerByNumber(2n), ok(second))
  t.false((await one.headerByNumber(1n)).ok)
})

test('two different headers of one block are refused', async t => {
  const directory = await temporaryDirectory(t)
  await writeFile(path.join(directory, 'a.yaml'), `header: ${toHex(headerOf(1n).bytes)}\n`)
  await writeFile(path.join(directory, 'b.yaml'), `header: ${toHex(headerOf(1n, 'frontier').bytes)}\n`)
  await t.throwsAsync(openHeaderSource(directory), {
    code: 'FILE_INVALID',
    message: /two different headers of block 1/,
  })
})

test('a missing file is named, with the expected content', async t => {
  const missing = path.join(await temporaryDirectory(t), 'missing')
  await t.throwsAsync(openHeaderSource(missing), {
    code: 'FILE_INVALID',
    message: /missing: expected a directory or file/,
  })
})

vectorTest('the directory of real blocks', async t => {
  const source = await openHeaderSource(blocksDirectory()!)
  for (const { number, header } of await mainnetBlocks()) t.deepEqual(await source.headerByNumber(number), ok(header))
})
