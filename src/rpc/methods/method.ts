import type { z } from 'zod'
import { SpimplError } from '../../errors.ts'
import { invalidParams } from '../dispatching/rpc-errors.ts'

/** One call of a client. The signal fires if the client has gone, its time is over or the server stops. */
export interface Call {
  readonly signal: AbortSignal
}

/** Parameters by name, in the order of a call with an array. The schema of an optional parameter accepts undefined. */
export type ParameterShape = Readonly<Record<string, z.ZodType>>
type ParametersOf<S extends ParameterShape> = { readonly [K in keyof S]: z.output<S[K]> }

/** One JSON-RPC method. */
export interface Method {
  readonly name: string
  readonly summary: string
  readonly parameters: ParameterShape
  /**
   * `params` as received: an array, an object by name, or nothing. Rejects with RpcError -32602, naming the bad value.
   */
  call(params: unknown, call: Call): Promise<unknown>
}

/** The parameters of methods without any. */
export const NONE = {} as const

/**
 * Makes a method whose handler sees parsed values only.
 *
 * @example
 * method('discv5_getEnr', 'The record of a node', { nodeId: nodeId() }, ({ nodeId }, call) =>
 *   api.findRecord(nodeId, call),
 * )
 */
export function method<S extends ParameterShape>(
  name: string,
  summary: string,
  parameters: S,
  handle: (parameters: ParametersOf<S>, call: Call) => Promise<unknown>,
): Method {
  const names = Object.keys(parameters)
  return {
    name,
    summary,
    parameters,
    call: async (params, call) => handle(parseParameters(names, parameters, params) as ParametersOf<S>, call),
  }
}

/** The methods by name. Throws USAGE if two have the same name. */
export function methodTable(rows: readonly Method[]): ReadonlyMap<string, Method> {
  const table = new Map<string, Method>()
  for (const row of rows) {
    if (table.has(row.name)) throw new SpimplError('USAGE', `expected each method once, got ${row.name} twice`)
    table.set(row.name, row)
  }
  return table
}

function parseParameters(names: readonly string[], shape: ParameterShape, params: unknown): Record<string, unknown> {
  const given = byName(names, params)
  const parsed: Record<string, unknown> = {}
  for (const name of names) {
    // Some clients send null for parameters that were left out.
    const value = given.get(name) ?? undefined
    const schema = shape[name]!
    if (value === undefined && !schema.safeParse(undefined).success) throw invalidParams(`${name}: missing`)
    const result = schema.safeParse(value)
    if (!result.success) throw invalidParams(describe(name, value, result.error))
    parsed[name] = result.data
  }
  return parsed
}

function byName(names: readonly string[], params: unknown): ReadonlyMap<string, unknown> {
  if (params === undefined || params === null) return new Map()
  if (Array.isArray(params)) {
    const extra = params.slice(names.length).find(value => value !== null)
    if (extra !== undefined) {
      throw invalidParams(`expected at most ${names.length} parameters (${names.join(', ')}), got ${params.length}`)
    }
    return new Map(names.map((name, at) => [name, params[at]]))
  }
  const entries = Object.entries(params as object)
  for (const [name] of entries) {
    if (!names.includes(name)) {
      throw invalidParams(`expected parameters of the names ${names.join(', ') || '(none)'}, got ${show(name)}`)
    }
  }
  return new Map(entries)
}

/** "distances[2]: expected an integer, got 1.5": the first fault, its place, and the value there. */
function describe(name: string, value: unknown, error: z.ZodError): string {
  const issue = error.issues[0]!
  let at = value
  let where = name
  for (const step of issue.path) {
    at = typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[step] : undefined
    where += typeof step === 'number' ? `[${step}]` : `.${String(step)}`
  }
  return `${where}: ${issue.message}, got ${show(at)}`
}

const SHOWN_CHARACTERS = 80

function show(value: unknown): string {
  // Slicing first: a value may have 32 MB.
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, SHOWN_CHARACTERS + 1)) : stringify(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text
}

function stringify(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return `an object with ${Object.keys(value).length} members`
  return String(value)
}
