import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { DispatchQueue } from '../index.js'
import { skipped, withDispatch as test } from './with-dispatch.js'

const scenario = fileURLToPath(new URL('./teardown/scenario.js', import.meta.url))

function run(name, script = scenario) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [script, name], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    child.on('close', (code, signal) => resolve({ code, signal, output: output.trim() }))
  })
}

for (const name of [
  'idle main queue',
  'suspended queue with items',
  'items of a queue whose target is suspended',
  'jobs of a suspended queue',
  'a job of a queue that is resumed',
  'a target that is resumed',
  'data for a suspended source, and for a suspended queue',
  'a source that is cancelled while it or its queue is suspended',
  'a cancellation is told before the end',
  'merged data arrives before the end',
  'exit within an item',
  'exit while jobs run',
  'main ends while a lane is busy',
  'lane ends first, messages pending',
  'exception in an item',
  'active timer and unref',
  'a delay that is cancelled, and one that never ends',
  'timers that have fired, and that never do',
  'data that was replaced by nothing',
  'items behind a promise that never settles',
  'a confined module whose start fails',
]) {
  test(`a program ends cleanly: ${name}`, async t => {
    t.deepEqual(await run(name), { code: 0, signal: null, output: 'ran' })
  })
}

test('a Worker may be the first to load libdispatch', async t => {
  const script = fileURLToPath(new URL('./teardown/worker-first.js', import.meta.url))
  const { code, output } = await run('', script)
  t.is(code, 0)
  t.deepEqual(output.split('\n').sort(), ['main lane true', 'worker lane true', 'worker lane true'])
})

const LANES = 200
const AT_ONCE = 4
const WAYS = ['return', 'exit', 'terminate']

const threads = () => readdirSync('/proc/self/task').length
const descriptors = () => readdirSync('/proc/self/fd').length
const residentMb = () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024

async function lanes(from, to, port) {
  let next = from
  const one = async () => {
    while (next < to) {
      const number = next++
      const way = WAYS[number % WAYS.length]
      const worker = new Worker(new URL('./teardown/lane.js', import.meta.url), { workerData: { port, way, number } })
      const exit = new Promise((resolve, reject) => {
        worker.once('exit', resolve)
        worker.once('error', reject)
      })
      await new Promise(resolve => worker.once('message', resolve))
      if (way === 'return') worker.postMessage('end')
      if (way === 'terminate') void worker.terminate()
      await exit
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

const linuxTest = process.platform === 'linux' ? test : skipped
linuxTest(`${LANES} worker lanes leave no thread, no descriptor and no memory behind`, async t => {
  const seen = new Set()
  const queue = new DispatchQueue('lanes.main')
  const port = queue.listen(batch => {
    for (const [low, high] of batch) seen.add(low + 256 * high)
  })
  // The first ones fill pools: of libdispatch, of V8 and of the C library.
  await lanes(0, 60, port)
  await settle()
  const before = { threads: threads(), descriptors: descriptors(), residentMb: residentMb() }
  await lanes(60, LANES, port)
  // libdispatch keeps idle threads for some seconds, at most as many as there are cores, and one that manages.
  await settle(() => threads() <= before.threads + 2)
  const after = { threads: threads(), descriptors: descriptors(), residentMb: residentMb() }
  queue.unlisten()
  t.log(before, after)
  t.is(seen.size, LANES)
  t.true(after.threads <= before.threads + 2, JSON.stringify({ before, after }))
  t.true(after.descriptors <= before.descriptors, JSON.stringify({ before, after }))
  t.true(after.residentMb < before.residentMb + 24, JSON.stringify({ before, after }))
})

/** Gives what has ended the time to go: at least three turns, and up to 30 s for what `isGone` waits for. */
async function settle(isGone = () => true) {
  for (let round = 0; round < 3 || (!isGone() && round < 600); round++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
