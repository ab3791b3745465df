import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { ExecutionContext } from 'ava'
import { projectRoot } from '../../vectors.ts'

export const COMMAND = path.join(projectRoot, 'dist', 'cli', 'spimpl.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command to its end. */
export async function spimpl(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...argv], { env: { ...process.env, ...env }, stdio: 'pipe' })
  child.stdin.end()
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, stdout, stderr }
}

interface Ready {
  readonly enr: string
  readonly nodeId: string
  readonly udp: { readonly host: string; readonly port: number }
  readonly rpc: string
}

export interface RpcAnswer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** A `spimpl run` of its own, as a user would start it. */
export class NodeProcess {
  readonly ready: Ready
  readonly #child: ChildProcess
  readonly #log: string[]
  readonly #lines: Interface | undefined
  #lastId = 0

  private constructor(child: ChildProcess, ready: Ready, log: string[], lines: Interface | undefined) {
    this.#child = child
    this.ready = ready
    this.#log = log
    this.#lines = lines
  }

  /** @param stderr where its log goes; unless said, it is kept */
  static async start(
    t: ExecutionContext,
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
    stderr: 'pipe' | number = 'pipe',
  ): Promise<NodeProcess> {
    const fixed = ['--udp-host', '127.0.0.1', '--udp-port', '0', '--rpc-port', '0', '--bootnodes', 'none', '--json']
    const child = spawn(process.execPath, [COMMAND, 'run', ...fixed, ...argv], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', stderr],
    })
    const log: string[] = []
    const lines = child.stderr === null ? undefined : createInterface({ input: child.stderr })
    lines?.on('line', line => log.push(line))
    t.teardown(() => {
      child.kill('SIGKILL')
    })
    const ready = await new Promise<Ready>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once('line', line => resolve(JSON.parse(line) as Ready))
      // Not at its exit: what it said last may not have been read by then.
      child.once('close', code => reject(new Error(`spimpl run ended with ${code}:\n${log.join('\n')}`)))
    })
    return new NodeProcess(child, ready, log, lines)
  }

  get pid(): number {
    return this.#child.pid!
  }

  get log(): readonly string[] {
    return this.#log
  }

  /** Settles when it has logged such a line: it comes another way than answers do. */
  logged(wanted: (line: string) => boolean): Promise<void> {
    if (this.#log.some(wanted)) return Promise.resolve()
    return new Promise(resolve => this.#lines?.on('line', line => wanted(line) && resolve()))
  }

  async call(method: string, ...params: readonly unknown[]): Promise<RpcAnswer> {
    this.#lastId += 1
    const response = await fetch(this.ready.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: this.#lastId, method, params }),
    })
    return (await response.json()) as RpcAnswer
  }

  /** The result, or an error that shows what came instead. */
  async result<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const answer = await this.call(method, ...params)
    if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
    return answer.result as T
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const ended = new Promise<number | null>(resolve => this.#child.once('close', resolve))
    this.#child.kill(signal)
    return ended
  }
}

/** A directory that is gone with the test. */
export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}
