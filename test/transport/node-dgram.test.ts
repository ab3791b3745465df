import { networkInterfaces } from 'node:os'
import test from 'ava'
import { SpimplError } from '../../src/errors.ts'
import type { Datagram } from '../../src/transport/datagram.ts'
import { dropsIn } from '../../src/transport/kernel-drops.ts'
import { DEFAULT_RECEIVE_BUFFER_BYTES, openDatagramSocket } from '../../src/transport/node-dgram.ts'
import { datagramConformance } from '../conformance/datagram.ts'

datagramConformance(test, { name: 'node:dgram, IPv4', open: openDatagramSocket, host: '127.0.0.1' })

const hasIPv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))
if (hasIPv6) datagramConformance(test, { name: 'node:dgram, IPv6', open: openDatagramSocket, host: '::1' })
else test.skip('node:dgram, IPv6: this machine has no ::1', () => {})

const ignore = { onDatagrams: () => {}, onError: () => {} }

test('more than the default receive buffer is requested, and the granted size is reported', async t => {
  const small = await openDatagramSocket({ host: '127.0.0.1', port: 0, receiveBufferBytes: 1, ...ignore })
  const large = await openDatagramSocket({ host: '127.0.0.1', port: 0, ...ignore })
  const standard = small.counters().receiveBufferBytes
  const granted = large.counters().receiveBufferBytes
  t.true(granted >= standard)
  t.log(`asked for ${DEFAULT_RECEIVE_BUFFER_BYTES}, granted ${granted}, default ${standard}`)
  await Promise.all([small.close(), large.close()])
})

if (hasIPv6)
  test("'::' serves both families, and IPv4 peers keep their IPv4 addresses", async t => {
    const arrived: Datagram[] = []
    const answered: Datagram[] = []
    const onError = ignore.onError
    const both = await openDatagramSocket({
      host: '::',
      port: 0,
      onDatagrams: batch => arrived.push(...batch),
      onError,
    })
    const four = await openDatagramSocket({
      host: '127.0.0.1',
      port: 0,
      onDatagrams: batch => answered.push(...batch),
      onError,
    })
    four.send([{ endpoint: { host: '127.0.0.1', port: both.local.port }, bytes: Uint8Array.of(1) }])
    while (arrived.length === 0) await new Promise(resolve => setImmediate(resolve))
    t.deepEqual(arrived[0]?.endpoint, four.local)
    both.send([{ endpoint: four.local, bytes: Uint8Array.of(2) }])
    while (answered.length === 0) await new Promise(resolve => setImmediate(resolve))
    t.deepEqual(answered[0]?.endpoint, { host: '127.0.0.1', port: both.local.port })
    await Promise.all([both.close(), four.close()])
  })

test('a name is no address', async t => {
  const error = await t.throwsAsync(openDatagramSocket({ host: 'localhost', port: 0, ...ignore }), {
    instanceOf: SpimplError,
  })
  t.is((error as SpimplError).code, 'ADDRESS_INVALID')
})

test('an address of another machine is a typed error', async t => {
  const error = await t.throwsAsync(openDatagramSocket({ host: '192.0.2.1', port: 0, ...ignore }), {
    instanceOf: SpimplError,
  })
  t.is((error as SpimplError).code, 'ADDRESS_INVALID')
})

test('a taken port is named, with the flag that chooses another', async t => {
  const first = await openDatagramSocket({ host: '127.0.0.1', port: 0, ...ignore })
  const { port } = first.local
  const error = await t.throwsAsync(openDatagramSocket({ host: '127.0.0.1', port, ...ignore }), {
    code: 'ADDRESS_IN_USE',
  })
  t.regex(error?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${port} .*--udp-port`))
  await first.close()
})

test('kernel drops are the last column of the line of the socket', t => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  331: 0100007F:2331 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 42442 2 0000000000000000 17
  332: 00000000:2331 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 42443 2 0000000000000000 4
  333: 0100007F:2332 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 42444 2 0000000000000000 5
`
  t.is(dropsIn(table, { host: '127.0.0.1', port: 0x2331 }), 17)
  t.is(dropsIn(table, { host: '0.0.0.0', port: 0x2331 }), 4)
  t.is(dropsIn(table, { host: '127.0.0.1', port: 9 }), 0)
})

test.serial('datagrams that overflow the receive buffer are counted on Linux', async t => {
  if (process.platform !== 'linux') {
    t.pass('only Linux reports drops')
    return
  }
  let arrived = 0
  const receiver = await openDatagramSocket({
    host: '127.0.0.1',
    port: 0,
    receiveBufferBytes: 1,
    onDatagrams: batch => {
      arrived += batch.length
    },
    onError: () => {},
  })
  const sender = await openDatagramSocket({ host: '127.0.0.1', port: 0, ...ignore })
  const endpoint = receiver.local
  // Sent in one turn, so the receiver cannot read meanwhile.
  const count = 4000
  sender.send(Array.from({ length: count }, () => ({ endpoint, bytes: new Uint8Array(1280) })))
  const until = Date.now() + 10_000
  while (arrived + receiver.counters().kernelDrops < count && Date.now() < until)
    await new Promise(resolve => setImmediate(resolve))
  const { kernelDrops } = receiver.counters()
  t.true(kernelDrops > 0)
  t.is(arrived + kernelDrops, count)
  await Promise.all([receiver.close(), sender.close()])
  t.is(receiver.counters().kernelDrops, kernelDrops)
})
