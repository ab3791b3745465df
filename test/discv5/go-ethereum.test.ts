import { execFile } from 'node:child_process'
import test from 'ava'
import { CASES, devp2p } from './devp2p.ts'
import { LiveNode } from './live-node.ts'

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
