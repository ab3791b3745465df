// In a network namespace of its own, where links can be made and taken without anybody noticing.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { NetworkConnection, NetworkPathMonitor } from '../index.js'

const ip = (...args) => execFileSync('ip', args)
let wake = () => {}
const monitor = new NetworkPathMonitor(() => wake())

async function until(condition) {
  const patience = setTimeout(() => assert.fail(`expected another path than ${JSON.stringify(monitor.path)}`), 30_000)
  while (!condition(monitor.path)) {
    await new Promise(resolve => {
      wake = resolve
    })
  }
  clearTimeout(patience)
}

assert.equal(monitor.path.status, 'unsatisfied')
assert.equal(monitor.path.defaultInterface, undefined)

// Without any network a connection waits; it becomes ready by itself when there is one.
const said = []
let hear = () => {}
const say = word => {
  said.push(word)
  hear()
}
const flow = new NetworkConnection({
  host: '198.51.100.7',
  port: 9,
  onState: say,
  onViability: viable => say(viable ? 'viable' : 'not viable'),
})

/** Waits until the connection has said all this, and nothing else. */
async function hears(...expected) {
  while (said.length < expected.length) {
    await new Promise(resolve => {
      hear = resolve
    })
  }
  assert.deepEqual(said.splice(0), expected)
}

flow.start()
await hears('preparing', 'waiting')

ip('link', 'set', 'lo', 'up')
ip('link', 'add', 'there0', 'type', 'veth', 'peer', 'name', 'there1')
ip('addr', 'add', '198.51.100.2/24', 'dev', 'there0')
ip('link', 'set', 'there1', 'up')
ip('link', 'set', 'there0', 'up')
ip('route', 'add', 'default', 'via', '198.51.100.1')
await until(path => path.status === 'satisfied' && path.defaultInterface === 'there0' && path.supportsIpv4)
assert.ok(
  monitor.path.interfaces.some(({ name, addresses }) => name === 'there0' && addresses.includes('198.51.100.2')),
)
await hears('preparing', 'ready', 'viable')

// The other end is pulled: the route stays, but leads nowhere.
ip('link', 'set', 'there1', 'down')
await until(path => path.status === 'unsatisfied')
await hears('not viable')
assert.match(ip('route').toString(), /^default via 198\.51\.100\.1 /)
ip('link', 'set', 'there1', 'up')
await until(path => path.status === 'satisfied' && path.defaultInterface === 'there0')
await hears('viable')

ip('link', 'set', 'there0', 'down')
await until(path => path.status === 'unsatisfied')
await hears('not viable')
monitor.cancel()
await flow.cancel()
console.log('ok')
