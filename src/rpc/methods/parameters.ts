import { z } from 'zod'
import { fromHex } from '../../codec/hex.ts'
import type { Result } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { PingPayload } from '../../portal/portal.ts'

/** Turns `enr:...` into a verified record, as `RecordDecoder.parse` does. */
export type ParseRecord = (text: string) => Result<NodeRecord>

const MAX_LOG_DISTANCE = 256
/** Content keys of all sub-networks are shorter, and no message could hold a longer one. */
const MAX_CONTENT_KEY_BYTES = 2048
/** portal-wire-protocol, Offer: `List[ByteList[2048], 64]`. */
const MAX_OFFERED_ITEMS = 64
/** ping-extensions/extensions/type-0.md. */
const MAX_CLIENT_INFO_BYTES = 200
const MAX_CAPABILITIES = 400
const UINT256 = /^0x[0-9a-fA-F]{1,64}$/

/** Bytes, from 0x-prefixed hex. */
export function hexBytes(limits: { readonly min?: number; readonly max?: number } = {}) {
  const { min = 0, max = Number.POSITIVE_INFINITY } = limits
  const size = min === max ? `${min} bytes` : max === Number.POSITIVE_INFINITY ? 'bytes' : `${min} to ${max} bytes`
  return z.string({ error: `expected ${size} as 0x-prefixed hex` }).transform((text, context) => {
    const bytes = fromHex(text)
    if (bytes.ok && bytes.value.length >= min && bytes.value.length <= max) return bytes.value
    context.addIssue({ code: 'custom', message: `expected ${size} as 0x-prefixed hex of even length` })
    return z.NEVER
  })
}

export const nodeId = () => hexBytes({ min: 32, max: 32 })
export const contentKey = () => hexBytes({ min: 1, max: MAX_CONTENT_KEY_BYTES })
/** Its size is bounded by the limit on a request's body. */
export const contentValue = () => hexBytes()

/** A uint256: hex, leading zeros allowed. */
const uint256 = () =>
  z
    .string({ error: 'expected a uint256 as 0x-prefixed hex' })
    .regex(UINT256, 'expected a uint256 as 0x-prefixed hex')
    .transform(text => BigInt(text))

export const uint16 = () =>
  z.number({ error: 'expected an integer from 0 to 65535' }).refine(n => Number.isInteger(n) && n >= 0 && n <= 0xffff, {
    error: 'expected an integer from 0 to 65535',
  })

export const distances = () =>
  z
    .array(
      z
        .number({ error: `expected a log distance from 0 to ${MAX_LOG_DISTANCE}` })
        .refine(n => Number.isInteger(n) && n >= 0 && n <= MAX_LOG_DISTANCE, {
          error: `expected a log distance from 0 to ${MAX_LOG_DISTANCE}`,
        }),
      { error: 'expected an array of log distances' },
    )
    .min(1, 'expected at least one log distance')
    .max(MAX_LOG_DISTANCE, `expected at most ${MAX_LOG_DISTANCE} log distances`)
    .transform(list => [...new Set(list)])

export function nodeRecord(parse: ParseRecord) {
  return z.string({ error: 'expected a node record as text (enr:...)' }).transform((text, context) => {
    const record = parse(text)
    if (record.ok) return record.value
    context.addIssue({ code: 'custom', message: `expected a valid node record (${record.code}: ${record.detail})` })
    return z.NEVER
  })
}

export const contentItems = () =>
  z
    .array(
      z
        .tuple([contentKey(), contentValue()], { error: 'expected a pair of content key and content value' })
        .transform(([key, content]) => ({ key, content })),
      { error: 'expected an array of pairs of content key and content value' },
    )
    .min(1, 'expected at least one content item')
    .max(MAX_OFFERED_ITEMS, `expected at most ${MAX_OFFERED_ITEMS} content items`)

/** The payloads that a ping of the history network may carry, from their JSON forms. */
export const pingPayloads = {
  0: z
    .strictObject({
      clientInfo: z.string().refine(text => Buffer.byteLength(text) <= MAX_CLIENT_INFO_BYTES),
      dataRadius: uint256(),
      capabilities: z.array(uint16()).max(MAX_CAPABILITIES),
    })
    .transform(
      ({ clientInfo, dataRadius, capabilities }): PingPayload => ({
        payloadType: 0,
        clientInfo,
        radius: dataRadius,
        capabilities,
      }),
    ),
  1: z
    .strictObject({ dataRadius: uint256() })
    .transform(({ dataRadius }): PingPayload => ({ payloadType: 1, radius: dataRadius })),
} as const
