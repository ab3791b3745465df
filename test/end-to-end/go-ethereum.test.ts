import test from 'ava'
import { conformance, devp2p } from '../testing/discv5/devp2p.ts'
import { NodeProcess } from '../testing/end-to-end/command.ts'

const command = devp2p()
const run = command === undefined ? test.skip : test

run("go-ethereum's discv5 conformance suite against spimpl run (skipped without devp2p)", async t => {
  t.timeout(300_000)
  const node = await NodeProcess.start(t, [])
  const { failed, output } = await conformance(command!, node.ready.enr)
  t.deepEqual(failed, [], output)
})
