import { createSecretKey } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { behavior, System } from 'spimpl-runtime'
import { LaneHub } from 'spimpl-runtime/internal/lanes/lane-hub.js'
import type { MessageCodec } from 'spimpl-runtime/internal/lanes/message-codec.js'
import { SpimplError } from '../../../src/errors.ts'

function codec(): MessageCodec {
  const system = new System()
  return new LaneHub(system.host, 0).codec
}

const plain = fc.object({
  maxDepth: 3,
  withBigInt: true,
  withTypedArray: true,
  withDate: true,
  values: [fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(undefined)],
})

test('plain data crosses as it is, and JSON is only used where it gives it back', t => {
  const { encode, decode } = bound()
  fc.assert(
    fc.property(plain, value => {
      const { encoded, textual } = encode(value)
      const crossed = textual ? JSON.parse(JSON.stringify(encoded)) : structuredClone(encoded)
      t.deepEqual(decode(crossed), structuredClone(value))
    }),
    { numRuns: 300 },
  )
})

function bound() {
  const made = codec()
  return {
    encode: (value: unknown) => {
      made.textual = true
      const encoded = made.encode(value, [])
      return { encoded, textual: made.textual }
    },
    decode: (value: unknown) => made.decode(value),
  }
}

test('errors cross with code, message, stack and cause', t => {
  const { encode, decode } = bound()
  const error = new SpimplError('KEY_INVALID', 'no key', { cause: new TypeError('inner') })
  const back = decode(JSON.parse(JSON.stringify(encode(error).encoded))) as SpimplError
  t.true(back instanceof SpimplError)
  t.is(back.code, 'KEY_INVALID')
  t.is(back.message, 'no key')
  t.is(back.stack, error.stack)
  t.is((back.cause as Error).name, 'TypeError')
})

test('errors of the language keep their class, those of others their name and code', t => {
  const { encode, decode } = bound()
  const cross = (error: Error) => decode(JSON.parse(JSON.stringify(encode(error).encoded))) as Error & { code?: string }
  t.true(cross(new RangeError('r')) instanceof RangeError)
  const foreign = cross(Object.assign(new Error('gone'), { name: 'toString', code: 'ENOENT' }))
  t.is(foreign.name, 'toString')
  t.is(foreign.code, 'ENOENT')
  t.false(foreign instanceof SpimplError)
})

test('what cannot cross is named by its place', t => {
  const { encode } = bound()
  for (const [value, place] of [
    [{ a: { b: () => 1 } }, 'message.a.b'],
    [{ list: [1, Symbol('s')] }, 'message.list[1]'],
    [{ p: Promise.resolve() }, 'message.p'],
    [{ shared: new SharedArrayBuffer(8) }, 'message.shared'],
    [{ map: new Map([[1, () => 1]]) }, 'message.map'],
    [{ key: createSecretKey(new Uint8Array(16)) }, 'message.key'],
    [{ blob: new Blob(['x']) }, 'message.blob'],
    [{ url: new URL('http://example.org/') }, 'message.url'],
    [{ signal: new AbortController().signal }, 'message.signal'],
  ] as const) {
    const error = t.throws(() => encode(value), { code: 'MESSAGE_NOT_CLONEABLE' })
    t.true(error!.message.includes(place), error!.message)
  }
})

test('a message that refers to itself is refused, not followed for ever', t => {
  const { encode } = bound()
  const circle: Record<string, unknown> = {}
  circle.self = circle
  t.throws(() => encode(circle), { code: 'MESSAGE_NOT_CLONEABLE', message: /nesting/ })
})

test('only what holds a reference is copied, and the message of the sender stays as it was', async t => {
  await using system = new System()
  const hub = new LaneHub(system.host, 0)
  const ref = system.spawn(behavior<{ readonly type: 'x' }>(() => ({ x: () => {} })))
  const message = { type: 'm', deep: { ref }, list: [1, 2] }
  const encoded = hub.codec.encode(message, []) as typeof message
  t.is(message.deep.ref, ref)
  t.is(encoded.list, message.list)
  t.not(encoded.deep, message.deep)
  t.is((hub.codec.decode(structuredClone(encoded)) as typeof message).deep.ref, ref)
})

test('references within maps and sets cross', async t => {
  await using system = new System()
  const { codec } = new LaneHub(system.host, 0)
  const ref = system.spawn(behavior<{ readonly type: 'x' }>(() => ({ x: () => {} })))
  const message = {
    map: new Map<unknown, unknown>([
      ['ref', ref],
      [['pair'], new Set([ref, 1])],
    ]),
    plain: new Map([[1, 2]]),
  }
  const encoded = codec.encode(message, []) as typeof message
  t.is(encoded.plain, message.plain)
  t.deepEqual(codec.decode(structuredClone(encoded)), message)
})

test('a buffer that is told twice changes owner once', t => {
  const made = codec()
  const bytes = new Uint8Array(100_000)
  const transfer: ArrayBuffer[] = []
  const encoded = made.encode({ first: bytes, again: [bytes] }, transfer) as { first: Uint8Array; again: Uint8Array[] }
  t.deepEqual(transfer, [bytes.buffer])
  t.is(encoded.first, bytes)
  t.not(encoded.again[0]?.buffer, bytes.buffer)
})
