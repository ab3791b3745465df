// Ends of a whole program, each in a process of its own: node scenario.js NAME
import { Worker } from 'node:worker_threads'
import { DispatchQueue, DispatchSource, NativeJobs, PinnedThread } from '../../index.js'
import { started } from '../sources.js'

const worker = (way, port) =>
  new Worker(new URL('./lane.js', import.meta.url), { workerData: { port, way, number: 1 } })

const scenarios = {
  'idle main queue'() {
    new DispatchQueue('idle').async(() => console.log('ran'))
  },
  'suspended queue with items'() {
    const queue = new DispatchQueue('suspended')
    globalThis.kept = queue // a queue that is collected is resumed, and runs what it has
    queue.suspend()
    queue.async(() => console.log('never'))
    queue.after(1, () => console.log('never'))
    console.log('ran')
  },
  'items of a queue whose target is suspended'() {
    const parent = new DispatchQueue('parent')
    const child = new DispatchQueue('child', { target: parent })
    const moved = new DispatchQueue('moved', { inactive: true })
    globalThis.kept = [parent, child, moved]
    child.async(() => console.log('never'))
    parent.suspend()
    child.async(() => console.log('never'))
    moved.setTarget(child)
    moved.activate()
    moved.async(() => console.log('never'))
    console.log('ran')
  },
  'jobs of a suspended queue'() {
    const queue = new DispatchQueue('jobs', { target: DispatchQueue.global() })
    globalThis.kept = queue
    const jobs = new NativeJobs(queue)
    jobs.keccak256([new Uint8Array(1)]).then(() => {
      queue.suspend()
      void jobs.keccak256([new Uint8Array(1)])
      console.log('ran')
    })
  },
  'a job of a queue that is resumed'() {
    const queue = new DispatchQueue('jobs', { target: DispatchQueue.global() })
    queue.suspend()
    new NativeJobs(queue).keccak256([new Uint8Array(1)]).then(() => console.log('ran'))
    queue.resume()
  },
  'a target that is resumed'() {
    const parent = new DispatchQueue('parent')
    const child = new DispatchQueue('child', { target: parent })
    parent.suspend()
    child.async(() => console.log('ran'))
    setTimeout(() => parent.resume(), 1)
  },
  'data for a suspended source, and for a suspended queue'() {
    const queue = new DispatchQueue('data')
    const make = () => started(DispatchSource.dataAdd(queue), () => console.log('never'))
    const [first, second] = [make(), make()]
    globalThis.kept = [queue, first, second]
    first.suspend()
    first.mergeData(1)
    second.mergeData(1)
    queue.suspend()
    console.log('ran')
  },
  'a source that is cancelled while it or its queue is suspended'() {
    const queue = new DispatchQueue('cancelled')
    const make = () => {
      const source = started(DispatchSource.timer(queue, { afterMs: 600_000 }), () => console.log('never'))
      source.setCancelHandler(() => console.log('never'))
      return source
    }
    const [first, second] = [make(), make()]
    globalThis.kept = [queue, first, second]
    first.suspend()
    first.cancel()
    queue.suspend()
    second.cancel()
    console.log('ran')
  },
  'a cancellation is told before the end'() {
    const queue = new DispatchQueue('cancelled')
    const timer = started(DispatchSource.timer(queue, { afterMs: 600_000 }), () => console.log('never'))
    timer.unref()
    timer.suspend()
    timer.setCancelHandler(() => console.log('ran'))
    timer.cancel()
    timer.resume()
  },
  'merged data arrives before the end'() {
    const queue = new DispatchQueue('data')
    const source = started(DispatchSource.dataAdd(queue), data => console.log(data === 3 ? 'ran' : data))
    source.suspend()
    queue.suspend()
    source.mergeData(1)
    source.mergeData(2)
    queue.resume()
    source.resume()
  },
  'exit within an item'() {
    const queue = new DispatchQueue('exit')
    queue.async(() => {
      console.log('ran')
      process.exit(0)
    })
    queue.async(() => console.log('never'))
  },
  'exit while jobs run'() {
    const jobs = new NativeJobs(DispatchQueue.global())
    const pinned = new NativeJobs(new PinnedThread({ name: 'busy' }))
    for (let index = 0; index < 20; index++) {
      void jobs.keccak256([new Uint8Array(1_000_000)])
      void pinned.keccak256([new Uint8Array(1_000_000)])
    }
    setTimeout(() => {
      console.log('ran')
      process.exit(0)
    }, 2)
  },
  'main ends while a lane is busy'() {
    const queue = new DispatchQueue('main')
    const port = queue.listen(() => {})
    worker('terminate', port).once('message', () => {
      console.log('ran')
      process.exit(0)
    })
  },
  'lane ends first, messages pending'() {
    const queue = new DispatchQueue('main')
    const port = queue.listen(batch => {
      console.log(batch.length === 1 ? 'ran' : 'lost')
      queue.unlisten()
    })
    queue.suspend()
    worker('exit', port).once('exit', () => queue.resume())
  },
  'exception in an item'() {
    const queue = new DispatchQueue('throws')
    process.once('uncaughtException', error => console.log(error.message))
    queue.async(() => {
      throw new Error('ran')
    })
  },
  'a confined module whose start fails'() {
    const text = `setInterval(() => {}, 60_000)
      export function start() { throw Object.assign(new Error('ran'), { code: 'NO_START' }) }`
    const refused = error => console.log(error.code === 'NO_START' ? error.message : error)
    PinnedThread.confine(`data:text/javascript,${encodeURIComponent(text)}`, { name: 'fails' }).catch(refused)
  },
  'active timer and unref'() {
    const queue = new DispatchQueue('timer')
    const timer = started(DispatchSource.timer(queue, { afterMs: 600_000 }), () => console.log('never'))
    timer.unref()
    console.log('ran')
  },
  'a delay that is cancelled, and one that never ends'() {
    const queue = new DispatchQueue('delays')
    queue.after(Number.POSITIVE_INFINITY, () => console.log('never'))
    console.log(queue.after(600_000, () => console.log('never'))() ? 'ran' : 'too late')
  },
  'timers that have fired, and that never do'() {
    const queue = new DispatchQueue('timers')
    started(DispatchSource.timer(queue, { afterMs: Number.POSITIVE_INFINITY }), () => console.log('never'))
    started(DispatchSource.timer(queue, { afterMs: 1 }), () => console.log('ran'))
  },
  'data that was replaced by nothing'() {
    const source = started(DispatchSource.dataReplace(new DispatchQueue('data')), () => console.log('never'))
    source.mergeData(5)
    source.mergeData(0)
    console.log('ran')
  },
  'items behind a promise that never settles'() {
    const queue = new DispatchQueue('held')
    globalThis.kept = queue
    queue.async(() => new Promise(() => {}))
    queue.async(() => console.log('never'))
    console.log('ran')
  },
}

scenarios[process.argv[2]]()
