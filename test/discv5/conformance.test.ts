import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import { LiveNode } from './live-node.ts'

/** Where `go install github.com/ethereum/go-ethereum/cmd/devp2p@v1.17.10` leaves it, or where SPIMPL_DEVP2P says. */
function devp2p(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const candidates = [...folders, path.join(homedir(), 'go', 'bin')].map(folder => path.join(folder, 'devp2p'))
  const named = process.env.SPIMPL_DEVP2P
  return [...(named === undefined ? [] : [named]), ...candidates].find(existsSync)
}

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

const command = devp2p()
const run = command === undefined ? test.skip : test

run(`go-ethereum's discv5 conformance suite (skipped without devp2p)`, async t => {
  t.timeout(120_000)
  const node = await LiveNode.open({ protocols: [] })
  const output = await new Promise<string>(resolve => {
    const listen = ['--listen1', '127.0.0.1', '--listen2', '127.0.0.2']
    execFile(command!, ['discv5', 'test', '--tap', ...listen, node.own.current.text], (_error, stdout) =>
      resolve(stdout),
    )
  })
  await node.close()
  for (const name of CASES) t.regex(output, new RegExp(`^ok \\d+ ${name}$`, 'm'), output)
})
