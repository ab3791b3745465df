// Ends of a whole program, each in a process of its own: node scenario.js NAME
import { Worker } from 'node:worker_threads'
import { DispatchQueue, DispatchSource, NativeJobs, PinnedThread } from '../../index.js'

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
    const make = () => new DispatchSource('data-add', { queue, onFire: () => console.log('never') }).activate()
    const [first, second] = [make(), make()]
    globalThis.kept = [queue, first, second]
    first.suspend()
    first.merge(1)
    second.merge(1)
    queue.suspend()
    console.log('ran')
  },
  'a source that is cancelled while it or its queue is suspended'() {
    const queue = new DispatchQueue('cancelled')
    const make = () =>
      new DispatchSource('timer', { queue, onFire: () => console.log('never') })
        .schedule({ delayMs: 600_000 })
        .activate()
    const [first, second] = [make(), make()]
    globalThis.kept = [queue, first, second]
    first.suspend()
    void first.cancel().then(() => console.log('never'))
    queue.suspend()
    void second.cancel().then(() => console.log('never'))
    console.log('ran')
  },
  'a cancellation is told before the end'() {
    const queue = new DispatchQueue('cancelled')
    const timer = new DispatchSource('timer', { queue, ref: false, onFire: () => console.log('never') })
    timer.schedule({ delayMs: 600_000 }).activate().suspend()
    void timer.cancel().then(() => console.log('ran'))
    timer.resume()
  },
  'merged data arrives before the end'() {
    const queue = new DispatchQueue('data')
    const source = new DispatchSource('data-add', { queue, onFire: data => console.log(data === 3 ? 'ran' : data) })
    source.activate().suspend()
    queue.suspend()
    source.merge(1)
    source.merge(2)
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
    const timer = new DispatchSource('timer', { queue, onFire: () => console.log('never') })
    timer.schedule({ delayMs: 600_000 }).activate().unref()
    console.log('ran')
  },
}

scenarios[process.argv[2]]()
