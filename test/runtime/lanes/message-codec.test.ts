import test from 'ava'
import fc from 'fast-check'
import { SpimplError } from '../../../src/errors.ts'
import { LaneHub } from '../../../src/runtime/lanes/lane-hub.ts'
import type { MessageCodec } from '../../../src/runtime/lanes/message-codec.ts'
import { behavior, System } from '../../../src/runtime/runtime.ts'

function codec(): MessageCodec {
  const system = new System()
  return new LaneHub(system, 0).codec
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

test('what cannot cross is named by its place', t => {
  const { encode } = bound()
  for (const [value, place] of [
    [{ a: { b: () => 1 } }, 'message.a.b'],
    [{ list: [1, Symbol('s')] }, 'message.list[1]'],
    [{ p: Promise.resolve() }, 'message.p'],
    [{ shared: new SharedArrayBuffer(8) }, 'message.shared'],
    [{ map: new Map([[1, () => 1]]) }, 'message.map'],
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
  const hub = new LaneHub(system, 0)
  const ref = system.spawn(behavior<{ readonly type: 'x' }>(() => ({ x: () => {} })))
  const message = { type: 'm', deep: { ref }, list: [1, 2] }
  const encoded = hub.codec.encode(message, []) as typeof message
  t.is(message.deep.ref, ref)
  t.is(encoded.list, message.list)
  t.not(encoded.deep, message.deep)
  t.is((hub.codec.decode(structuredClone(encoded)) as typeof message).deep.ref, ref)
})
