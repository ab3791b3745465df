import { z } from 'zod'
import type { NodeApi } from '../node-api.ts'
import { type Method, method, NONE, type ParameterShape } from './method.ts'

/** What tools ask first: which client this is, and what it can do. */
export function serviceMethods(api: NodeApi, rows: readonly Method[]): Method[] {
  const own: Method[] = [
    method('web3_clientVersion', 'Name and version of this client', NONE, async () => api.clientVersion),
    method('rpc_modules', 'The namespaces of the methods', NONE, async () => modules(all())),
    method('rpc.discover', 'This document (OpenRPC 1.2)', NONE, async () => openRpcDocument(api.clientVersion, all())),
  ]
  const all = (): Method[] => [...rows, ...own]
  return own
}

const modules = (rows: readonly Method[]): Record<string, string> =>
  Object.fromEntries(rows.filter(row => row.name.includes('_')).map(row => [row.name.split('_')[0], '1.0']))

/** https://spec.open-rpc.org: made from the table that serves the calls. */
function openRpcDocument(clientVersion: string, rows: readonly Method[]): object {
  return {
    openrpc: '1.2.6',
    info: { title: 'spimpl', version: clientVersion },
    methods: rows.map(row => ({
      name: row.name,
      summary: row.summary,
      paramStructure: 'either',
      params: parameterDescriptors(row.parameters),
      result: { name: 'result', schema: {} },
    })),
  }
}

const parameterDescriptors = (shape: ParameterShape): object[] =>
  Object.entries(shape).map(([name, schema]) => ({
    name,
    required: !schema.safeParse(undefined).success,
    schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  }))
