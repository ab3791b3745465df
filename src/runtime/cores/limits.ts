import { SpimplError } from '../errors.ts'

/** The values that a limit may have. Without one: any number above 0, Infinity included. */
export interface LimitRange {
  readonly min: number
  readonly max: number
  /** The value is a multiple of it. Default: any number; 1 for whole numbers. */
  readonly step?: number
}

/** Ranges by the names of the limits that need one. */
export type LimitRanges<Limits> = { readonly [Name in keyof Limits]?: LimitRange }

/**
 * The defaults with the changes of a user. A change that is undefined keeps the default.
 *
 * @param subject the part of the program that the limits are of, for the error
 * @throws SpimplError `CONFIG_INVALID` for an unknown name, a value that is no number or not above 0, or one out of its
 * range
 * @example const limits = checkedLimits('discovery', { sessions: 1_024, lookups: 64 }, { sessions: 16 })
 */
export function checkedLimits<Limits extends object>(
  subject: string,
  defaults: Limits,
  changes: { readonly [Name in keyof Limits]?: Limits[Name] | undefined } = {},
  ranges: LimitRanges<Limits> = {},
): Limits {
  const limits: Limits = { ...defaults }
  for (const name of Object.keys(changes) as (keyof Limits & string)[]) {
    const value = changes[name]
    if (!Object.hasOwn(defaults, name)) {
      throw new SpimplError('CONFIG_INVALID', `expected a limit of ${subject}, got '${name}'`)
    }
    if (value === undefined) continue
    checkLimit(subject, name, defaults[name], value, ranges[name])
    limits[name] = value
  }
  return limits
}

function checkLimit(subject: string, name: string, initial: unknown, value: unknown, range?: LimitRange): void {
  const expected = typeof initial === 'number' ? expectedNumber(value, range) : expectedLike(initial, value)
  if (expected === undefined) return
  throw new SpimplError('CONFIG_INVALID', `expected ${name} of ${subject} ${expected}, got ${String(value)}`)
}

/** What a limit is expected to be; undefined where the value is that. */
function expectedNumber(value: unknown, range: LimitRange | undefined): string | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return 'to be a number'
  if (range === undefined) return value > 0 ? undefined : 'above 0'
  const { min, max, step } = range
  if (value < min || value > max) return `from ${min} to ${max}`
  if (step === undefined || value % step === 0) return undefined
  return step === 1 ? 'to be a whole number' : `in steps of ${step}`
}

const expectedLike = (initial: unknown, value: unknown): string | undefined =>
  typeof value === typeof initial ? undefined : `to be a ${typeof initial}`
