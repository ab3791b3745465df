import { isIP } from 'node:net'
import { received, SpimplError } from '../../src/errors.ts'
import { NETWORKS } from './networks.ts'
import type { NodeOptions } from './node-options.ts'

type Check = (value: unknown) => boolean

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const isFunction: Check = value => typeof value === 'function'
const isText: Check = value => typeof value === 'string' && value !== ''
const has = (value: unknown, method: string): boolean => isObject(value) && isFunction(value[method])
const hasOnly = (value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> =>
  isObject(value) && Object.keys(value).every(name => names.includes(name))
const isPort: Check = value =>
  value === undefined || (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535)

/** What each option must be, and how an error says so. */
const CHECKS: { readonly [Name in keyof Required<NodeOptions>]: readonly [expected: string, check: Check] } = {
  name: ['a text', isText],
  network: [
    `one of ${Object.keys(NETWORKS).join(', ')}, or an object with name, chainId and bootnodes`,
    value =>
      isObject(value)
        ? isText(value.name) && typeof value.chainId === 'bigint' && Array.isArray(value.bootnodes)
        : Object.hasOwn(NETWORKS, String(value)),
  ],
  headers: [
    'a URL, a directory, blocks, headers, or a HeaderSource',
    value =>
      isText(value) ||
      has(value, 'headerByNumber') ||
      (isObject(value) && Symbol.iterator in value) ||
      value instanceof URL,
  ],
  bootnodes: ['a list of node records (enr:...)', Array.isArray],
  dataDir: ['the path of a directory, or a DataDirectory', value => isText(value) || has(value, 'loadOrCreateKey')],
  privateKey: [
    'a private key as a Uint8Array of 32 bytes',
    value => value instanceof Uint8Array && value.length === 32,
  ],
  udp: [
    '{ host, port } with an IPv4 or IPv6 address and a port from 0 to 65535',
    value =>
      hasOnly(value, ['host', 'port']) &&
      isPort(value.port) &&
      (value.host === undefined || isIP(String(value.host)) !== 0),
  ],
  publish: [
    'an IPv4 or IPv6 address, or a function of the bound endpoint',
    value => isFunction(value) || (typeof value === 'string' && isIP(value) !== 0),
  ],
  adoptAddress: ['true or false', value => typeof value === 'boolean'],
  rpc: [
    '{ host, port, methods } with a host to listen on and a port from 0 to 65535',
    value =>
      hasOnly(value, ['host', 'port', 'methods']) &&
      isPort(value.port) &&
      (value.host === undefined || isText(value.host)) &&
      (value.methods === undefined || isFunction(value.methods)),
  ],
  storageBytes: ['a number of bytes from 0 on', value => Number.isSafeInteger(value) && Number(value) >= 0],
  radius: [
    "{ type: 'auto' }, { type: 'max' } or { type: 'fixed', radius } with a bigint below 2^256",
    value =>
      isObject(value) &&
      (value.type === 'auto' ||
        value.type === 'max' ||
        (value.type === 'fixed' &&
          typeof value.radius === 'bigint' &&
          value.radius >= 0n &&
          value.radius < 2n ** 256n)),
  ],
  clientVersion: ['a text', isText],
  log: ['a function of a log record', isFunction],
  executor: [
    'auto, event-loop, dispatch, or an Executor',
    value => value === 'auto' || value === 'event-loop' || value === 'dispatch' || has(value, 'attach'),
  ],
  randomness: ['a Randomness', value => has(value, 'bytes')],
  crypto: ['a Cryptography', value => has(value, 'publicKey')],
  openSocket: ['a function that opens a socket', isFunction],
  openStore: ['a function that opens a content store', isFunction],
  compute: ['a ComputePool, or a function that runs a validation job', value => isFunction(value) || has(value, 'run')],
}

/**
 * Checks what a caller passes to `startNode`, who may write JavaScript.
 *
 * @throws SpimplError `CONFIG_INVALID`, naming the option, what was expected and what was received
 */
export function checkOptions(options: NodeOptions): void {
  if (!isObject(options) || Array.isArray(options)) throw invalid('options', 'an object', options)
  for (const [name, value] of Object.entries(options)) {
    const row = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof NodeOptions] : undefined
    if (row === undefined) {
      const known = Object.keys(CHECKS).join(', ')
      throw new SpimplError('CONFIG_INVALID', `options: expected one of ${known}, got ${received(name)}`)
    }
    const [expected, isRight] = row
    if (value !== undefined && !isRight(value)) throw invalid(name, expected, value)
  }
  const { udp, publish }: NodeOptions = options
  const host = udp?.host ?? DEFAULT_UDP_HOST
  // A record would name an address of a family that the socket does not have, and nobody would reach the node.
  if (typeof publish === 'string' && host !== '::' && isIP(publish) !== isIP(host)) {
    throw invalid('publish', `an IPv${isIP(host)} address, as ${host} is bound (:: binds both families)`, publish)
  }
}

/** Every address of IPv4. */
export const DEFAULT_UDP_HOST = '0.0.0.0'

function invalid(name: string, expected: string, got: unknown): SpimplError {
  return new SpimplError('CONFIG_INVALID', `${name}: expected ${expected}, got ${shown(name, got)}`)
}

/** A value as an error may show it: never a key. */
function shown(name: string, value: unknown): string {
  if (name === 'privateKey') {
    if (value instanceof Uint8Array) return `${value.length} bytes`
    return typeof value === 'string' ? `${value.length} characters` : typeof value
  }
  return received(value)
}

/**
 * What a function of the caller returned for a port, checked.
 *
 * @throws SpimplError `CONFIG_INVALID`, naming the option and what was received
 */
export function checkedPort<Port>(
  option: keyof NodeOptions,
  expected: string,
  port: Port,
  methods: readonly string[],
): Port {
  if (methods.every(method => has(port, method))) return port
  throw invalid(option, `a function that resolves to ${expected} with ${methods.join(', ')}`, port)
}
