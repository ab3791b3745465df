import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { benchDirectory, hasProgram } from '../peers.ts'
import { type Subject, subjects } from './actor-peer.ts'

/** Erlang/OTP in a process of its own that measures itself: between runs it waits for a line and does nothing. */
export class Otp {
  readonly release: string
  private readonly process: ChildProcess
  private readonly lines: AsyncIterator<string>

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, release: string) {
    this.process = process
    this.lines = lines
    this.release = release
  }

  /** @returns `undefined` where Erlang is not installed */
  static async start(): Promise<Otp | undefined> {
    if (!hasProgram('escript')) return undefined
    const process = spawn('escript', [path.join(benchDirectory, 'actors', 'otp.escript')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]()
    const { value: greeting } = await lines.next()
    const release = /^ready (\S+)$/.exec(greeting ?? '')?.[1]
    if (release === undefined) throw new Error(`expected "ready RELEASE" of otp.escript, got ${greeting}`)
    return new Otp(process, lines, release)
  }

  readonly subjects = Object.keys(subjects) as readonly Subject[]

  /** @returns nanoseconds for one operation; for `idle` bytes for one process */
  async figure(subject: Subject | 'idle', operations: number): Promise<number> {
    this.process.stdin!.write(`${subject} ${operations}\n`)
    const { value: line } = await this.lines.next()
    const figure = Number(line)
    if (!Number.isFinite(figure)) throw new Error(`expected a figure of otp.escript for ${subject}, got ${line}`)
    return figure
  }

  close(): void {
    this.process.stdin!.end()
  }
}
