import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { toHex } from '../../../src/codec/hex.ts'
import type { BlockHeader } from '../../../src/history/headers/header.ts'

/** As an execution client answers eth_getBlockByNumber, with fields that are not hashed. */
export function jsonOf(header: BlockHeader): Record<string, unknown> {
  const quantity = (value: bigint | undefined) => (value === undefined ? undefined : `0x${value.toString(16)}`)
  const data = (value: Uint8Array | undefined) => (value === undefined ? undefined : toHex(value))
  return {
    hash: data(header.hash),
    parentHash: data(header.parentHash),
    sha3Uncles: data(header.ommersHash),
    miner: data(header.beneficiary),
    stateRoot: data(header.stateRoot),
    transactionsRoot: data(header.transactionsRoot),
    receiptsRoot: data(header.receiptsRoot),
    logsBloom: data(header.logsBloom),
    difficulty: quantity(header.difficulty),
    number: quantity(header.number),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: data(header.extraData),
    mixHash: data(header.mixHash),
    nonce: data(header.nonce),
    baseFeePerGas: quantity(header.baseFeePerGas),
    withdrawalsRoot: data(header.withdrawalsRoot),
    blobGasUsed: quantity(header.blobGasUsed),
    excessBlobGas: quantity(header.excessBlobGas),
    parentBeaconBlockRoot: data(header.parentBeaconBlockRoot),
    requestsHash: data(header.requestsHash),
    blockAccessListHash: data(header.blockAccessListHash),
    slotNumber: quantity(header.slotNumber),
    size: '0x220',
    uncles: [],
    transactions: [],
    withdrawals: [],
    totalDifficulty: null,
  }
}

type Request = { readonly id: number; readonly method: string; readonly params: readonly string[] }
type Answer = (request: Request, response: ServerResponse, http: IncomingMessage) => unknown

/**
 * A real HTTP server on a free port. What `answer` returns is the JSON-RPC result or error; undefined where it
 * answered itself.
 */
export async function executionClient(
  t: ExecutionContext,
  answer: Answer,
): Promise<{ url: string; methods: string[] }> {
  const methods: string[] = []
  const server: Server = createServer((http, response) => {
    let text = ''
    http.on('data', chunk => {
      text += chunk
    })
    http.on('end', () => {
      const request = JSON.parse(text) as Request
      methods.push(request.method)
      const body = answer(request, response, http)
      if (body === undefined) return
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ jsonrpc: '2.0', id: request.id, ...(body as object) }))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, methods }
}

/** As geth says that a namespace is not served. */
export const METHOD_NOT_FOUND = { error: { code: -32601, message: 'the method debug_getRawHeader does not exist' } }
