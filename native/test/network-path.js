// In a network namespace of its own, where links can be made and taken without anybody noticing.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { NetworkConnection, NetworkPathMonitor } from '../index.js'

const ip = (...args) => String(execFileSync('ip', args))
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
  // Who waits for a path keeps no program alive.
  const patience = setTimeout(() => assert.fail(`expected ${expected}, heard ${said}`), 30_000)
  while (said.length < expected.length) {
    await new Promise(resolve => {
      hear = resolve
    })
  }
  clearTimeout(patience)
  assert.deepEqual(said.splice(0), expected)
}

flow.start()
await hears('preparing', 'waiting')

// More changes at once than the socket has room for: the kernel drops some, and later ones are noticed all the same.
const changes = Array.from({ length: 2000 }, (_, index) => `addr add 10.1.${index >> 8}.${index & 255}/32 dev lo\n`)
execFileSync('ip', ['-batch', '-'], { input: changes.join('') })
execFileSync('ip', ['addr', 'flush', 'dev', 'lo', 'to', '10.1.0.0/16'])
const sockets = readFileSync('/proc/net/netlink', 'utf8').trim().split('\n')
const dropped = sockets.map(line => line.trim().split(/\s+/)).filter(([, , owner]) => Number(owner) === process.pid)
assert.ok(dropped.some(fields => Number(fields[8]) > 0))

ip('link', 'set', 'lo', 'up')
ip('link', 'add', 'there0', 'type', 'veth', 'peer', 'name', 'there1')
ip('addr', 'add', '198.51.100.2/24', 'dev', 'there0')
ip('link', 'set', 'there0', 'up')
ip('route', 'add', 'default', 'via', '198.51.100.1')
// A socket connects by the route alone; nothing passes before its link has the other end.
await hears('preparing', 'ready')
ip('link', 'set', 'there1', 'up')
await until(path => path.status === 'satisfied' && path.defaultInterface === 'there0' && path.supportsIpv4)
assert.ok(
  monitor.path.interfaces.some(({ name, addresses }) => name === 'there0' && addresses.includes('198.51.100.2')),
)
await hears('viable')

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
