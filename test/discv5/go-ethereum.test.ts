import { type ChildProcess, spawn } from 'node:child_process'
import test from 'ava'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import type { DiscoveryOutput } from '../../src/discv5/discv5.ts'
import { unwrap } from '../../src/errors.ts'
import { parseRecord } from '../../src/identity/node-record.ts'
import { freePort } from '../free-port.ts'
import { conformance, devp2p } from '../testing/discv5/devp2p.ts'
import { LiveNode } from '../testing/discv5/live-node.ts'

const command = devp2p()
const run = command === undefined ? test.skip : test

run(`go-ethereum's discv5 conformance suite (skipped without devp2p)`, async t => {
  t.timeout(300_000)
  const node = await LiveNode.open({ protocols: [] })
  const { failed, output } = await conformance(command!, node.own.current.text)
  await node.close()
  t.deepEqual(failed, [], output)
})

/** A go-ethereum node, and its record as soon as it listens. */
async function goEthereum(
  port: number,
  key: string,
): Promise<{ readonly process: ChildProcess; readonly enr: string }> {
  const options = ['--addr', `127.0.0.1:${port}`, '--nodekey', key, '--bootnodes', '']
  const child = spawn(command!, ['discv5', 'listen', ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
  const enr = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', chunk => {
      said += chunk
      const [found] = said.match(/enr:[\w-]+(?=\s)/) ?? []
      if (found !== undefined) resolve(found)
    })
    child.once('exit', code => reject(new Error(`devp2p ended with ${code}`)))
  })
  return { process: child, enr }
}

async function stop(child: ChildProcess): Promise<void> {
  const closed = new Promise(resolve => child.once('close', resolve))
  child.kill()
  await closed
}

run('go-ethereum answers us at first contact, and after it has restarted (skipped without devp2p)', async t => {
  t.timeout(60_000)
  const port = await freePort()
  const key = '45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8'
  const outcomes = new Map<number, DiscoveryOutput['type']>()
  let awaited = 0
  let settled: () => void = () => {}
  // Nothing is lost on loopback: a late answer waited for the processor.
  const node = await LiveNode.open({ limits: { requestTimeoutMs: 30_000 } }, output => {
    if (!('ref' in output)) return
    outcomes.set(output.ref, output.type)
    if (outcomes.size === awaited) settled()
  })
  const ask = async (enr: string, first: number): Promise<void> => {
    const to = unwrap(parseRecord(enr, nodeCryptography))
    awaited = first + 12
    const done = new Promise<void>(resolve => {
      settled = resolve
    })
    // The first does not fit beside the handshake.
    node.handle({ type: 'talk', ref: first, to, protocol: Uint8Array.of(1), payload: new Uint8Array(1_000) })
    node.handle({ type: 'find-nodes', ref: first + 1, to, distances: [0] })
    for (let ref = first + 2; ref < awaited; ref++) node.handle({ type: 'ping', ref, to })
    await done
  }
  let peer = await goEthereum(port, key)
  try {
    await ask(peer.enr, 0)
    await stop(peer.process)
    peer = await goEthereum(port, key)
    await ask(peer.enr, 12)
  } finally {
    await stop(peer.process)
    await node.close()
  }
  const answers = ['talk-answered', 'nodes', ...new Array<string>(10).fill('pong')]
  const heard = [...outcomes].sort(([a], [b]) => a - b).map(([, type]) => type as string)
  t.deepEqual(heard, [...answers, ...answers])
  t.is(node.core.counters.get('sessionsLost'), 1)
})
