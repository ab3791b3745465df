import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/**
 * The path of devp2p: SPIMPL_DEVP2P, or where `go install github.com/ethereum/go-ethereum/cmd/devp2p@v1.17.10` puts it.
 */
export function devp2p(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const candidates = [...folders, path.join(homedir(), 'go', 'bin')].map(folder => path.join(folder, 'devp2p'))
  const named = process.env.SPIMPL_DEVP2P
  return [...(named === undefined ? [] : [named]), ...candidates].find(existsSync)
}

/** All tests of the suite. */
const CASES = [
  'Ping',
  'PingLargeRequestID',
  'PingMultiIP',
  'HandshakeResend',
  'TalkRequest',
  'FindnodeWrongIP',
  'FindnodeHandshake',
  'FindnodeZeroDistance',
  'FindnodeResults',
  'UnsolicitedNodes',
]

const RUNS = 5

/**
 * Runs the suite against the node of this record. devp2p waits 300 ms for an answer, which may be too short on a busy
 * machine: a case that timed out is run again, one with a wrong answer is not.
 *
 * @returns the cases that failed, and the output of devp2p
 */
export async function conformance(
  command: string,
  enr: string,
): Promise<{ readonly failed: readonly string[]; readonly output: string }> {
  const output: string[] = []
  let failed: readonly string[] = CASES
  for (let run = 0; run < RUNS && failed.length > 0; run++) {
    const listen = ['--listen1', '127.0.0.1', '--listen2', '127.0.0.2', '--run', `^(${failed.join('|')})$`]
    const said = await new Promise<string>(resolve => {
      execFile(command, ['discv5', 'test', '--tap', ...listen, enr], (_error, stdout) => resolve(stdout))
    })
    output.push(said)
    failed = failed.filter(name => !new RegExp(`^ok \\d+ ${name}$`, 'm').test(said))
    const late = (name: string) => new RegExp(`^not ok \\d+ ${name}\\n(#.*\\n)*#.*i/o timeout$`, 'm').test(said)
    if (!failed.every(late)) break
  }
  return { failed, output: output.join('\n') }
}
