import { isIP } from 'node:net'
import { z } from 'zod'
import { parseAddress } from '../src/identity/ip-address.ts'
import { MAX_RADIUS, type RadiusSetting } from '../src/store/radius.ts'

/** Where block headers come from. */
export type HeadersSetting =
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'path'; readonly path: string }

export type BootnodesSetting = 'none' | 'default' | readonly string[]

export type NatSetting = { readonly type: 'none' } | { readonly type: 'extip'; readonly address: string }

export type KeySetting =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'file'; readonly path: string }

/** A schema that reads a value from text, or says what was expected. */
function reading<T>(expected: string, read: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context): T => {
    const value = read(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `expected ${expected}` })
    return z.NEVER
  })
}

/** The text itself, if it has the expected form. */
const textThat = (expected: string, accepts: (given: string) => boolean) =>
  reading(expected, given => (accepts(given) ? given : undefined))

/** An address of a node record. */
export const recordAddress = (length: 4 | 16) =>
  textThat(`an IPv${length === 4 ? 4 : 6} address`, given => parseAddress(given)?.length === length)

/** A port of a node record. */
export const recordPort = () =>
  textThat('a port from 1 to 65535', given => /^\d{1,5}$/.test(given) && Number(given) >= 1 && Number(given) <= 65_535)

export const uint64 = () =>
  textThat('an integer of 64 bits', given => /^\d{1,20}$/.test(given) && BigInt(given) < 2n ** 64n)

export const text = (expected: string) => reading(expected, given => (given.trim() === '' ? undefined : given))

export const choice = <const T extends string>(...choices: readonly T[]) =>
  reading(`one of ${choices.join(', ')}`, given => choices.find(one => one === given))

/** A flag without a value reads as `true`. */
export const yesOrNo = () => reading('true or false', given => YES_OR_NO.get(given.toLowerCase()))

const YES_OR_NO = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

export const integer = (min: number, max: number) =>
  reading(`an integer from ${min} to ${max}`, given => {
    const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
    return value >= min && value <= max ? value : undefined
  })

export const port = () => integer(0, 65535)

/** A literal address to bind. */
export const address = () => reading('an IPv4 or IPv6 address', given => (isIP(given) === 0 ? undefined : given))

/** A literal address or a name to listen on. */
export const hostName = () =>
  reading('an address or a host name', given =>
    isIP(given) !== 0 ||
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(given)
      ? given
      : undefined,
  )

export const radius = () =>
  reading<RadiusSetting>('auto, max, or a distance as 0x and up to 64 hexadecimal digits', given => {
    if (given === 'auto' || given === 'max') return { type: given }
    if (!/^0x[0-9a-fA-F]{1,64}$/.test(given)) return undefined
    const value = BigInt(given)
    return value === MAX_RADIUS ? { type: 'max' } : { type: 'fixed', radius: value }
  })

/** The bytes of a private key. The identity scheme decides whether the curve has such a key. */
const keyBytes = (given: string): Uint8Array | undefined =>
  /^(0x)?[0-9a-fA-F]{64}$/.test(given) ? new Uint8Array(Buffer.from(given.replace(/^0x/, ''), 'hex')) : undefined

const KEY_EXPECTED = '64 hexadecimal digits, or @ and the name of a file with them'

const keySetting = (given: string): KeySetting | undefined => {
  if (given.length > 1 && given.startsWith('@')) return { type: 'file', path: given.slice(1) }
  const bytes = keyBytes(given)
  return bytes && { type: 'bytes', bytes }
}

export const privateKey = () => reading(KEY_EXPECTED, keySetting)

/** As `privateKey`, but kept as text. */
export const privateKeyText = () => textThat(KEY_EXPECTED, given => keySetting(given) !== undefined)

export const keyInFile = (content: string): Uint8Array | undefined => keyBytes(content.trim())

const MAX_BOOTNODES = 256

export const bootnodes = () =>
  reading<BootnodesSetting>('none, default, or node records (enr:...) separated by commas', given => {
    if (given === 'none' || given === 'default') return given
    const records = given
      .split(/[,\s]+/)
      .map(record => record.trim())
      .filter(record => record !== '')
    const valid = records.length > 0 && records.length <= MAX_BOOTNODES
    return valid && records.every(record => /^enr:[A-Za-z0-9_-]{1,400}$/.test(record)) ? records : undefined
  })

export const headers = () =>
  reading<HeadersSetting>('a directory, a YAML file, or the http(s) URL of an execution client', given => {
    if (given.trim() === '') return undefined
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return { type: 'path', path: given }
    if (!URL.canParse(given) || !/^https?:/i.test(given)) return undefined
    return { type: 'url', url: given }
  })

export const nat = () =>
  reading<NatSetting>('none, or extip: and the address at which peers reach this node', given => {
    if (given === 'none') return { type: 'none' }
    const external = /^extip:(.+)$/.exec(given)?.[1]
    return external !== undefined && isIP(external) !== 0 ? { type: 'extip', address: external } : undefined
  })
