import { inspect } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import type { Message } from '../actors/message.ts'
import { type ErrorCode, SpimplError } from '../errors.ts'
import type { Ref, ReplyTo } from '../references/actor-ref.ts'
import {
  type ActorAddress,
  type Addressable,
  type AddressBook,
  addressIn,
  type QuestionAddress,
} from '../references/address.ts'
import { isDetached } from './lane-batch.ts'
import { isLent } from './lent.ts'

/**
 * The key under which encoded data says what it encodes: a reference, a `replyTo`, an error. No message of plain data
 * has it.
 */
const MARK = '\u0000spimpl'

interface Marked {
  readonly [MARK]: 'ref' | 'replyTo' | 'error' | 'map' | 'set'
  readonly lane?: number
  readonly id?: number
  readonly path?: string
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly stack?: string
  readonly cause?: unknown
  /** The items of a map or a set that holds encoded data. */
  readonly items?: readonly unknown[]
}

/** Buffers of at least this size change owner instead of being copied. */
const TRANSFERRED_BYTES = 65_536

const MAX_DEPTH = 64

/** Finds addresses for references, and references for addresses. */
export interface ReferenceBook extends AddressBook {
  refTo(address: ActorAddress): Ref<Message>
  replyTo(address: QuestionAddress): ReplyTo<unknown>
}

/** Turns messages into plain data, and the buffers that change owner, for another lane; and back. */
export class MessageCodec {
  /** JSON reproduces everything that was encoded since this was set to true. */
  textual = true
  readonly #book: ReferenceBook
  /** Buffers that are on their way. A buffer that is sent again before it has left is copied the second time. */
  readonly #given = new WeakSet<ArrayBuffer>()

  constructor(book: ReferenceBook) {
    this.#book = book
  }

  /**
   * Replaces references, reply addresses and errors by data. Copies only the objects that hold one of them.
   * @param transfer collects the buffers that change owner
   * @throws SpimplError `MESSAGE_NOT_CLONEABLE` with the place of the value that cannot cross
   */
  encode(value: unknown, transfer: ArrayBuffer[], place = 'message', depth = 0): unknown {
    if (typeof value !== 'object' || value === null) {
      this.#lookAt(value, place)
      return value
    }
    if (depth > MAX_DEPTH) throw notCloneable(place, `nesting beyond ${MAX_DEPTH}`)
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) {
      return this.#encodeObject(value as Record<string, unknown>, transfer, place, depth)
    }
    if (Array.isArray(value)) return this.#encodeArray(value, transfer, place, depth)
    if (addressIn in value) {
      const { kind, ...place } = (value as Addressable)[addressIn](this.#book)
      return { [MARK]: kind, ...place } satisfies Marked
    }
    this.textual = false
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteLength } = value
      if (isDetached(buffer)) throw notCloneable(place, 'buffer that has had another owner since it was sent before')
      const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
      if (byteLength >= TRANSFERRED_BYTES && isWhole && !isLent(value)) {
        if (this.#given.has(buffer)) return structuredClone(value)
        this.#given.add(buffer)
        transfer.push(buffer)
      }
      return value
    }
    if (value instanceof Map || value instanceof Set) {
      const items = value instanceof Map ? [...value].flat() : [...value]
      const encoded = this.#encodeArray(items, transfer, place, depth)
      if (encoded !== items) return { [MARK]: value instanceof Map ? 'map' : 'set', items: encoded } satisfies Marked
      return value
    }
    if (value instanceof Error) return this.#encodeError(value, transfer, place, depth)
    // The batch is written later, when the sender of a message is no longer known, so a value that may be refused is
    // tried now. V8's format decides, because structuredClone also accepts values that only a port can carry (a
    // KeyObject, a Blob).
    if (value instanceof SharedArrayBuffer) throw notCloneable(place, 'SharedArrayBuffer')
    const copy = copyOf(value)
    if (copy === undefined) throw notCloneable(place, value.constructor?.name ?? 'object')
    return copy
  }

  /**
   * An error, or a description, may be any value. @returns the value, or its text if it cannot cross, so that the
   * report of a failure does not fail itself
   */
  crossing(value: unknown): unknown {
    try {
      this.encode(value, [])
      return value
    } catch {
      return inspect(value, { depth: 1 })
    }
  }

  decode(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) {
        const item = value[at]
        if (typeof item === 'object' && item !== null) value[at] = this.decode(item)
      }
      return value
    }
    const object = value as Record<string, unknown> & Partial<Marked>
    if (object[MARK] !== undefined) return this.#revive(object as unknown as Marked)
    if (Object.getPrototypeOf(value) !== Object.prototype) return value
    for (const key in object) {
      const field = object[key]
      if (typeof field === 'object' && field !== null) object[key] = this.decode(field)
    }
    return object
  }

  #encodeObject(object: Record<string, unknown>, transfer: ArrayBuffer[], place: string, depth: number): unknown {
    let copy: Record<string, unknown> | undefined
    for (const key in object) {
      const field = object[key]
      if (typeof field !== 'object') {
        if (typeof field !== 'string') this.#lookAt(field, place, key)
        continue
      }
      if (field === null) continue
      const encoded = this.encode(field, transfer, `${place}.${key}`, depth + 1)
      if (encoded === field) continue
      copy ??= { ...object }
      copy[key] = encoded
    }
    return copy ?? object
  }

  /** Checks a value that is no object: whether JSON reproduces it, and whether it can cross at all. */
  #lookAt(value: unknown, place: string, key?: string): void {
    switch (typeof value) {
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) this.textual = false
        return
      case 'boolean':
      case 'string':
        return
      case 'function':
      case 'symbol':
        throw notCloneable(key === undefined ? place : `${place}.${key}`, typeof value)
      default:
        if (value !== null) this.textual = false
    }
  }

  #encodeArray(array: readonly unknown[], transfer: ArrayBuffer[], place: string, depth: number): readonly unknown[] {
    let copy: unknown[] | undefined
    for (let at = 0; at < array.length; at++) {
      const item = array[at]
      const encoded = this.encode(item, transfer, `${place}[${at}]`, depth + 1)
      if (encoded === item) continue
      copy ??= [...array]
      copy[at] = encoded
    }
    return copy ?? array
  }

  #encodeError(error: Error, transfer: ArrayBuffer[], place: string, depth: number): Marked {
    const { name, message, stack, cause } = error
    // A chain of causes may be circular.
    const causeCrosses = cause instanceof Error && depth < MAX_DEPTH
    return {
      [MARK]: 'error',
      name: String(name),
      message: String(message),
      ...(typeof stack === 'string' ? { stack } : {}),
      ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
      ...(causeCrosses ? { cause: this.encode(cause, transfer, `${place}.cause`, depth + 1) } : {}),
    }
  }

  #revive(marked: Marked): unknown {
    const { lane = 0, id = 0, path = '' } = marked
    if (marked[MARK] === 'ref') return this.#book.refTo({ kind: 'ref', lane, id, path })
    if (marked[MARK] === 'replyTo') return this.#book.replyTo({ kind: 'replyTo', lane, id })
    if (marked[MARK] === 'set') return new Set(this.decode(marked.items) as unknown[])
    if (marked[MARK] === 'map') {
      const items = this.decode(marked.items) as unknown[]
      return new Map(Array.from({ length: items.length / 2 }, (_, at) => [items[at * 2], items[at * 2 + 1]]))
    }
    const { code, message = '', name = 'Error', stack } = marked
    const options = marked.cause === undefined ? undefined : { cause: this.decode(marked.cause) }
    const error =
      name === 'SpimplError' ? new SpimplError(code as ErrorCode, message, options) : named(name, message, options)
    if (code !== undefined && !(error instanceof SpimplError)) Object.assign(error, { code })
    if (stack !== undefined) error.stack = stack
    return error
  }
}

/**
 * The object as it would arrive: an instance of a user's class arrives as its fields, without methods. `undefined` if
 * V8 refuses it, or would deliver an empty object, as for a URL or (Node 26) a Blob: an empty object in its place is
 * worse than an error.
 */
function copyOf(value: object): unknown {
  try {
    const copy: unknown = deserialize(serialize(value))
    const isPlain = typeof copy === 'object' && copy !== null && Object.getPrototypeOf(copy) === Object.prototype
    return isPlain && Object.keys(copy).length === 0 ? undefined : copy
  } catch {
    return undefined
  }
}

function notCloneable(place: string, what: string): SpimplError {
  return new SpimplError('MESSAGE_NOT_CLONEABLE', `expected plain data at ${place} for another lane, got a ${what}`)
}

const ofLanguage: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** An error of a class of the language, or an `Error` with the name of any other class. */
function named(name: string, message: string, options: ErrorOptions | undefined): Error {
  const known = Object.hasOwn(ofLanguage, name) ? ofLanguage[name] : undefined
  if (known !== undefined) return new known(message, options)
  const error = new Error(message, options)
  if (name !== 'Error') Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return error
}
