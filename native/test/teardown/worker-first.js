// A Worker loads libdispatch before the main thread does, and takes its main queue with it: the main thread then has a
// root of its own, like any other lane.
import { isMainThread, Worker } from 'node:worker_threads'

async function use(label) {
  const { backendInfo, DispatchQueue } = await import('../../index.js')
  const queue = new DispatchQueue(label)
  queue.after(1, () => {
    const { root } = backendInfo().libdispatch
    console.log(`${label} ${root} ${queue.isCurrent && DispatchQueue.main.isCurrent}`)
  })
}

if (isMainThread) {
  const ended = () => new Promise(resolve => new Worker(new URL(import.meta.url)).once('exit', resolve))
  await ended()
  await use('main')
  await ended()
} else await use('worker')
