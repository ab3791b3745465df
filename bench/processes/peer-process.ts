import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { PeerCommand, PeerReport } from './stream-peer.ts'

type ReportOf<Type extends PeerReport['type']> = Extract<PeerReport, { readonly type: Type }>

/** A node in a process of its own, driven by messages. */
export class PeerProcess {
  readonly enr: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, enr: string) {
    this.#child = child
    this.enr = enr
  }

  static async start(): Promise<PeerProcess> {
    const child = fork(fileURLToPath(new URL('./stream-peer.js', import.meta.url)))
    const { enr } = await reportFrom(child, 'ready')
    return new PeerProcess(child, enr)
  }

  tell(command: PeerCommand): void {
    this.#child.send(command)
  }

  /** The next report of this type (and this stream). */
  report<Type extends PeerReport['type']>(type: Type, connectionId?: number): Promise<ReportOf<Type>> {
    return reportFrom(this.#child, type, connectionId)
  }

  stop(): void {
    this.#child.kill()
  }
}

function reportFrom<Type extends PeerReport['type']>(
  child: ChildProcess,
  type: Type,
  connectionId?: number,
): Promise<ReportOf<Type>> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', onMessage)
      child.off('exit', onExit)
    }
    const onExit = (code: number | null): void => {
      settle()
      reject(new Error(`the peer process ended with ${code}`))
    }
    const onMessage = (report: PeerReport): void => {
      if (report.type !== type) return
      if (connectionId !== undefined && 'connectionId' in report && report.connectionId !== connectionId) return
      settle()
      resolve(report as ReportOf<Type>)
    }
    child.on('message', onMessage)
    child.on('exit', onExit)
  })
}
