// What a connection does on every platform. Run as a program, so that the same text runs on node:dgram and, with
// another build of the addon, on Network framework's double: node network-conformance.js [double]
import assert from 'node:assert/strict'
import { NetworkConnection, NetworkListener, NetworkPathMonitor } from '../index.js'

const withDouble = process.argv[2] === 'double'
const bytes = text => new TextEncoder().encode(text)
const text = data => new TextDecoder().decode(data)

/** Everything a connection says, and a way to wait for it. */
class Log {
  entries = []
  #waiting = []

  handlers = {
    onState: (state, error) => this.#add(error === undefined ? state : `${state} ${error}`),
    onViability: viable => this.#add(viable ? 'viable' : 'not viable'),
    onBetterPath: () => this.#add('better path'),
    onDatagrams: batch => {
      for (const datagram of batch) this.#add(`got ${text(datagram)}`)
    },
  }

  until(entry) {
    if (this.entries.includes(entry)) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push({ entry, resolve }))
  }

  #add(entry) {
    this.entries.push(entry)
    for (const waiting of this.#waiting) if (waiting.entry === entry) waiting.resolve()
  }
}

async function echo() {
  const accepted = []
  const listenerStates = []
  let ready
  const bound = new Promise(resolve => {
    ready = resolve
  })
  const listener = new NetworkListener({
    host: '127.0.0.1',
    onState(state) {
      listenerStates.push(state)
      if (state === 'ready') ready()
    },
    onConnection(connection) {
      accepted.push(connection)
      connection.start({ onDatagrams: batch => connection.send(batch.map(one => bytes(`echo ${text(one)}`))) })
    },
  })
  listener.start()
  await bound
  assert.ok(listener.port > 0)

  const logs = [new Log(), new Log()]
  const flows = logs.map(log => new NetworkConnection({ host: '127.0.0.1', port: listener.port, ...log.handlers }))
  assert.equal(flows[0].send([bytes('early')]), false)
  for (const flow of flows) flow.start()
  await Promise.all(logs.map(log => log.until('viable')))
  for (const [index, flow] of flows.entries()) {
    assert.equal(flow.send([bytes(`a${index}`), bytes(`b${index}`)]), true)
  }
  await Promise.all(logs.map((log, index) => log.until(`got echo b${index}`)))
  flows[0].send([bytes('c')])
  await logs[0].until('got echo c')
  assert.equal(accepted.length, 2)
  await Promise.all([...flows, ...accepted].map(one => one.cancel()))
  await listener.cancel()
  assert.deepEqual(logs[0].entries, [
    'preparing',
    'ready',
    'viable',
    'got echo a0',
    'got echo b0',
    'got echo c',
    'cancelled',
  ])
  assert.deepEqual(logs[1].entries, ['preparing', 'ready', 'viable', 'got echo a1', 'got echo b1', 'cancelled'])
  assert.deepEqual(listenerStates, ['ready', 'cancelled'])
  assert.equal(flows[0].send([bytes('late')]), false)
}

async function startedTwiceAndSentTooLate() {
  const log = new Log()
  const flow = new NetworkConnection({ host: '127.0.0.1', port: 9, ...log.handlers })
  flow.start()
  assert.throws(() => flow.start(), { code: 'CONNECTION_INVALID' })
  await log.until('viable')
  const cancelled = flow.cancel()
  assert.equal(flow.send([bytes('late')]), false)
  await cancelled
  assert.deepEqual(log.entries, ['preparing', 'ready', 'viable', 'cancelled'])
}

/** A listener on a port that another one has. */
async function refused() {
  const told = []
  const listen = port => {
    let settle
    const settled = new Promise(resolve => {
      settle = resolve
    })
    const listener = new NetworkListener({
      host: '127.0.0.1',
      port,
      onConnection() {},
      onState(state, error) {
        told.push(error === undefined ? state : `${state} ${error}`)
        if (state !== 'failed') settle()
      },
    })
    listener.start()
    return settled.then(() => listener)
  }
  const first = await listen(0)
  const second = await listen(first.port)
  await Promise.all([first.cancel(), second.cancel()])
  const EADDRINUSE = 98
  assert.deepEqual(told, ['ready', `failed ${EADDRINUSE}`, 'cancelled', 'cancelled'])
}

async function cancelledBeforeStart() {
  const log = new Log()
  const flow = new NetworkConnection({ host: '127.0.0.1', port: 9, ...log.handlers })
  await flow.cancel()
  assert.deepEqual(log.entries, ['cancelled'])
  assert.throws(() => flow.start(), { code: 'CONNECTION_INVALID' })
}

function argumentsAreChecked() {
  const host = '127.0.0.1'
  const wrong = { code: 'CONNECTION_INVALID' }
  for (const options of [
    { host, port: 0 },
    { host, port: 65_536 },
    { host: undefined, port: 9 },
    { host: {}, port: 9 },
    { host, port: 9, localPort: 99_999 },
    { host, port: 9, onState: 'state' },
  ]) {
    assert.throws(() => new NetworkConnection(options), wrong)
  }
  const flow = new NetworkConnection({ host, port: 9 })
  assert.throws(() => flow.start({ onDatagrams: 7 }), wrong)
  assert.equal(flow.state, 'setup')
  const onConnection = () => {}
  for (const options of [{}, { onConnection, port: -1 }, { onConnection, host: 4 }, { onConnection, onState: {} }]) {
    assert.throws(() => new NetworkListener(options), wrong)
  }
  assert.throws(() => new NetworkPathMonitor(undefined), { code: 'ARGUMENT_INVALID' })
}

async function path() {
  let monitor
  // A monitor keeps no program alive.
  const alive = setTimeout(() => {}, 5000)
  const told = await new Promise(resolve => {
    monitor = new NetworkPathMonitor(resolve)
    if (monitor.path !== undefined) resolve(monitor.path)
  })
  clearTimeout(alive)
  assert.ok(['satisfied', 'unsatisfied'].includes(told.status))
  assert.ok(told.interfaces.some(({ type }) => type === 'loopback'))
  monitor.cancel()
  monitor.cancel()
}

/** States that only the double can be made to show. */
async function states() {
  const run = async (host, last) => {
    const log = new Log()
    const flow = new NetworkConnection({ host, port: 9, ...log.handlers })
    flow.start()
    await log.until(last)
    if (flow.state !== 'cancelled') await flow.cancel()
    return log.entries
  }
  const ENETDOWN = 100
  const ECONNREFUSED = 111
  assert.deepEqual(await run('waits.double', 'viable'), [
    'preparing',
    `waiting ${ENETDOWN}`,
    'ready',
    'viable',
    'cancelled',
  ])
  assert.deepEqual(await run('fails.double', 'cancelled'), ['preparing', `failed ${ECONNREFUSED}`, 'cancelled'])
  const moved = await run('moves.double', 'better path')
  assert.deepEqual(moved.slice(0, 5), ['preparing', 'ready', 'viable', 'not viable', 'better path'])
  assert.equal(moved.at(-1), 'cancelled')
}

/** A thread that looks away keeps a bounded number of datagrams. */
async function busy() {
  const { default: koffi } = await import('koffi')
  const delivered = koffi.load(process.env.SPIMPL_NATIVE).func('int nw_double_delivered()')
  const batches = []
  let wake = () => {}
  const next = () => new Promise(resolve => (wake = resolve))
  let accepted
  const listener = new NetworkListener({
    host: '127.0.0.1',
    onState: () => wake(),
    onConnection(connection) {
      accepted = connection
      const onDatagrams = batch => {
        batches.push(batch.length)
        wake()
      }
      connection.start({ onDatagrams })
    },
  })
  listener.start()
  while (listener.state !== 'ready') await next()
  const flow = new NetworkConnection({ host: '127.0.0.1', port: listener.port, onState: () => wake() })
  flow.start()
  while (flow.state !== 'ready') await next()
  flow.send([bytes('first')])
  while (batches.length === 0) await next()
  const MOST_ARRIVED = 8192
  const few = Array.from({ length: 64 }, () => bytes('x'))
  const patienceEnds = performance.now() + 60_000
  for (let sent = 0; sent <= MOST_ARRIVED; sent += few.length) {
    const wanted = delivered() + few.length
    flow.send(few)
    while (delivered() < wanted) assert.ok(performance.now() < patienceEnds)
  }
  while (batches.length === 1) await next()
  assert.deepEqual(batches, [1, MOST_ARRIVED])
  await Promise.all([flow.cancel(), accepted.cancel(), listener.cancel()])
}

/** Everything that was made of the framework's objects was released. */
async function nothingIsLeft() {
  const { default: koffi } = await import('koffi')
  const objects = koffi.load(process.env.SPIMPL_NATIVE).func('int nw_double_objects()')
  for (let round = 0; round < 1500 && objects() > 0; round++) {
    globalThis.gc()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  assert.equal(objects(), 0)
}

await cancelledBeforeStart()
argumentsAreChecked()
await startedTwiceAndSentTooLate()
if (!withDouble) await refused()
await echo()
await path()
if (withDouble) {
  await states()
  await busy()
  await nothingIsLeft()
}
console.log('ok')
