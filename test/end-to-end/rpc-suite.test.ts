import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import { toHex } from '../../src/codec/hex.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { encodeContentKey } from '../../src/history/content/content-key.ts'
import { PublishableRecord } from '../../src/identity/publishable-record.ts'
import { NodeProcess, temporaryDirectory } from '../testing/end-to-end/command.ts'

/**
 * What the Portal suites of hive (rpc_compat.rs, interop.rs) assert of tables, and what they meet when a machine is
 * busy.
 */

/** A record as their `generate_random_remote_enr` makes it: of nobody, and without a word of Portal. */
function strangersRecord(digit: number) {
  const record = new PublishableRecord({ privateKey: new Uint8Array(32).fill(digit), crypto: nodeCryptography })
  record.set({ ip: Uint8Array.of(198, 51, 100, digit), udp: Uint8Array.of(0x1f, 0x90) })
  return record.publish()
}

test('AddEnr, GetEnr and DeleteEnr: what is deleted is gone, at once and from where GetEnr looks', async t => {
  const node = await NodeProcess.start(t, [])
  const { text, nodeIdHex } = strangersRecord(1)
  t.is((await node.call('portal_historyGetEnr', nodeIdHex)).error?.code, -32000)
  t.false(await node.result('portal_historyDeleteEnr', nodeIdHex))
  t.true(await node.result('portal_historyAddEnr', text))
  t.is(await node.result('portal_historyGetEnr', nodeIdHex), text)
  t.is(await node.result('discv5_getEnr', nodeIdHex), text)
  t.true(await node.result('portal_historyDeleteEnr', nodeIdHex))
  t.is((await node.call('portal_historyGetEnr', nodeIdHex)).error?.code, -32000)
  t.is((await node.call('discv5_getEnr', nodeIdHex)).error?.code, -32000)
  t.false(await node.result('portal_historyDeleteEnr', nodeIdHex))
  for (const method of ['portal_historyGetEnr', 'portal_historyLookupEnr', 'discv5_getEnr']) {
    t.is(await node.result(method, node.ready.nodeId), node.ready.enr)
  }
})

test('discv5_deleteEnr: discovery has it no more', async t => {
  const node = await NodeProcess.start(t, [])
  const { text, nodeIdHex } = strangersRecord(2)
  // Who does not answer is dropped after some seconds: should the machine take those between the two calls, it is added
  // again.
  do {
    t.true(await node.result('portal_historyAddEnr', text))
  } while (!(await node.result('discv5_deleteEnr', nodeIdHex)))
  t.is((await node.call('discv5_getEnr', nodeIdHex)).error?.code, -32000)
  t.is(await node.result('portal_historyGetEnr', nodeIdHex), text, 'the sub-network has a table of its own')
})

test('discv5_updateNodeInfo: what the record cannot have is refused by name, and nothing ends for it', async t => {
  const node = await NodeProcess.start(t, [])
  const large = `0x${'01'.repeat(250)}`
  const wrong = [
    ['id', '0x01'],
    ['secp256k1', '0x02'],
    ['ip', '0x01'],
    ['\u20ac', '0x01'],
    ['zz', large],
  ]
  // More than the restarts that a supervisor allows in a minute.
  for (const pair of [...wrong, ...wrong, ...wrong]) {
    const { error } = await node.call('discv5_updateNodeInfo', [pair])
    t.is(error?.code, -32602)
    t.regex(error?.message ?? '', /socketAddr: expected/)
  }
  t.is((await node.result<{ readonly enr: string }>('discv5_nodeInfo')).enr, node.ready.enr)
  const changed = await node.result<{ readonly enr: string }>('discv5_updateNodeInfo', [['zz', '0x01']])
  t.not(changed.enr, node.ready.enr)
  t.is((await node.result<{ readonly enr: string }>('discv5_nodeInfo')).enr, changed.enr)
})

test('after a ping the other knows the record of who pinged', async t => {
  const [a, b] = await Promise.all([NodeProcess.start(t, []), NodeProcess.start(t, [])])
  await a.result('portal_historyPing', b.ready.enr)
  t.is(await b.result('portal_historyGetEnr', a.ready.nodeId), a.ready.enr)
})

test('a key that is none of the sub-network is the fault of the key', async t => {
  const node = await NodeProcess.start(t, [])
  for (const [method, ...more] of [['Store', '0x00'], ['PutContent', '0x00'], ['LocalContent'], ['GetContent']]) {
    const { error } = await node.call(`portal_history${method}`, '0x090100000000000000', ...more)
    t.is(error?.code, -32602)
    t.regex(error?.message ?? '', /contentKey/)
  }
})

const unlessWindows = process.platform === 'win32' ? test.skip : test

unlessWindows('the only node that has the content is stopped for six seconds: it is waited for', async t => {
  t.timeout(60_000)
  const headers = path.join(await temporaryDirectory(t), 'blocks')
  await mkdir(headers)
  const [block] = makeChain({ seed: 5, blocks: 1 })
  await writeFile(path.join(headers, 'block.yaml'), `header: ${toHex(block!.header.bytes)}\n`)
  const [a, b] = await Promise.all([
    NodeProcess.start(t, ['--headers', headers]),
    NodeProcess.start(t, ['--headers', headers]),
  ])
  const key = toHex(encodeContentKey({ type: 'body', number: block!.number }))
  const content = toHex(block!.body)
  t.true(await a.result('portal_historyStore', key, content))
  t.true(await b.result('portal_historyAddEnr', a.ready.enr))
  await b.result('portal_historyPing', a.ready.enr)
  process.kill(a.pid, 'SIGSTOP')
  const timer = setTimeout(() => process.kill(a.pid, 'SIGCONT'), 6_000)
  t.teardown(() => clearTimeout(timer))
  t.deepEqual(await b.result('portal_historyGetContent', key), { content, utpTransfer: false })
})
