import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { freePort } from '../../free-port.ts'
import { type RpcAnswer, temporaryDirectory } from './command.ts'

/** `nimbus_portal_client` of PATH, or the program that SPIMPL_NIMBUS names. */
export function nimbusPortalClient(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const named = process.env.SPIMPL_NIMBUS
  return [
    ...(named === undefined ? [] : [named]),
    ...folders.map(folder => path.join(folder, 'nimbus_portal_client')),
  ].find(existsSync)
}

/** A history node of nimbus on loopback, on the chain of mainnet and with nobody of it to talk to. */
export class NimbusProcess {
  readonly #url: string
  enr = ''

  private constructor(url: string) {
    this.#url = url
  }

  /** @param headersUrl the JSON-RPC of an execution client, which serves `debug_getRawHeader` */
  static async start(t: ExecutionContext, command: string, headersUrl: string): Promise<NimbusProcess> {
    // Nimbus publishes the port that it is told, so it cannot be told 0.
    const [udp, rpc] = [await freePort(), await freePort()]
    const child = spawn(
      command,
      [
        '--network:mainnet',
        '--portal-subnetworks:history',
        '--listen-address:127.0.0.1',
        '--nat:extip:127.0.0.1',
        `--udp-port:${udp}`,
        '--rpc:true',
        '--rpc-api:portal,discovery',
        '--rpc-address:127.0.0.1',
        `--rpc-port:${rpc}`,
        `--web3-url:${headersUrl}`,
        `--data-dir:${await temporaryDirectory(t)}`,
      ],
      { stdio: 'ignore' },
    )
    t.teardown(() => child.kill('SIGKILL'))
    const node = new NimbusProcess(`http://127.0.0.1:${rpc}`)
    node.enr = (await eventually(() => node.result<{ readonly enr: string }>('portal_historyNodeInfo'))).enr
    return node
  }

  async result<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const answer = (await response.json()) as RpcAnswer
    if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
    return answer.result as T
  }
}

/** Asks until there is an answer: another program's start, or its validation, cannot be waited for otherwise. */
export async function eventually<T>(ask: () => Promise<T>, withinMs = 15_000): Promise<T> {
  const end = Date.now() + withinMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
