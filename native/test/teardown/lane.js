// A worker lane that is in the middle of everything when it ends, in the way its number says.
import { parentPort, workerData } from 'node:worker_threads'
import { DispatchGroup, DispatchQueue, DispatchSource, NativeJobs, PinnedThread, RemoteQueue } from '../../index.js'

const { port, way, number } = workerData
const remote = new RemoteQueue(port)
const queue = new DispatchQueue(`lane.${number}`)
const suspended = new DispatchQueue(`lane.${number}.suspended`)
suspended.suspend()
suspended.async(() => {})
new DispatchQueue(`lane.${number}.inactive`, { inactive: true }).async(() => {})
new DispatchGroup().enter()
const timer = DispatchSource.timer(queue, { afterMs: 1, repeatingMs: 1 }, { strict: true })
timer.activate()
// Promises that never settle hold their queues to the end, and a barrier waits for one of them.
const held = new DispatchQueue(`lane.${number}.held`, { concurrent: true })
held.async(() => new Promise(() => {}))
held.async(() => {}, { barrier: true })
queue.after(60_000, () => {})
const global = new NativeJobs(DispatchQueue.global())
const thread = new PinnedThread({ name: `lane-${number}` })
const pinned = new NativeJobs(thread)
const message = new Uint8Array(300_000)
for (let index = 0; index < 3; index++) {
  void global.keccak256([message])
  void pinned.keccak256([message])
}

queue.async(() => {
  remote.send(Uint8Array.of(number & 255, number >> 8))
  parentPort.postMessage('busy')
  if (way === 'exit') process.exit(0)
  // Work that never ends, for those that are terminated.
  if (way === 'terminate') {
    const again = () => {
      if (Math.random() < 2) setImmediate(() => queue.async(again))
    }
    again()
  }
})

if (way === 'return') {
  parentPort.once('message', async () => {
    timer.unref()
    await thread.stop()
    // The item of `after` would keep the lane for a minute: items of a suspended queue do not.
    queue.suspend()
    parentPort.close()
  })
}
