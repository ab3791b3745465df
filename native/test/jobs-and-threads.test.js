import { spawnSync } from 'node:child_process'
import { createCipheriv, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { AddonError, backendInfo, cipher, DispatchQueue, NativeJobs, PinnedThread } from '../index.js'
import { jobs as waitingJobs } from '../lib/threads/lane.js'
import { oneThreadLibrary } from './one-thread/library.js'
import { skipped, withAddon, withDispatch } from './with-dispatch.js'

const plain = bytes => new Uint8Array(bytes)
const batchOf = (count, size = 1150) =>
  Array.from({ length: count }, () => ({
    key: plain(randomBytes(16)),
    nonce: plain(randomBytes(12)),
    associatedData: plain(randomBytes(71)),
    data: plain(randomBytes(size)),
  }))

/** Of this process's thread, or undefined where it has ended meanwhile: those of other tests come and go. */
function threadName(id) {
  try {
    return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()
  } catch {
    return undefined
  }
}

const places = [
  [
    'a serial queue of libdispatch',
    withDispatch,
    () => new DispatchQueue('jobs.serial', { target: DispatchQueue.global() }),
  ],
  [
    'a concurrent queue of libdispatch',
    withDispatch,
    () => new DispatchQueue('jobs.concurrent', { target: DispatchQueue.global('utility'), concurrent: true }),
  ],
  ['a global queue', withDispatch, () => DispatchQueue.global('user-initiated')],
  ['the lane itself', withDispatch, () => DispatchQueue.main],
  ['a pinned thread', withAddon, () => new PinnedThread({ name: 'jobs' })],
]

for (const [name, test, make] of places) {
  test(`${name} seals, opens, masks and hashes what the calling thread would`, async t => {
    const jobs = new NativeJobs(make())
    const batch = [...batchOf(300, 40), ...batchOf(3, 0), ...batchOf(20)]
    const sealed = await jobs.seal(batch)
    t.deepEqual(sealed, cipher.seal(batch))
    const changed = batch.map((job, index) => ({ ...job, data: plain(sealed[index]) }))
    changed[7].data[3] ^= 1
    const opened = await jobs.open(changed)
    t.is(opened[7], undefined)
    opened[7] = batch[7].data
    t.deepEqual(
      opened,
      batch.map(job => job.data),
    )
    const masks = batch.map(job => ({ key: job.key, iv: plain(randomBytes(16)), data: job.data }))
    const ctr = ({ key, iv, data }) => plain(createCipheriv('aes-128-ctr', key, iv).update(data))
    t.deepEqual(await jobs.mask(masks), masks.map(ctr))
    const messages = batch.map(job => job.data)
    t.deepEqual(await jobs.keccak256(messages), messages.map(cipher.keccak256))
    t.deepEqual(await jobs.seal([]), [])
  })
}

withDispatch('a batch that is spread among the cores comes back whole and in order', async t => {
  const queue = new DispatchQueue('jobs.spread', { target: DispatchQueue.global() })
  const batch = batchOf(200)
  t.deepEqual(await new NativeJobs(queue, { spread: true }).seal(batch), cipher.seal(batch))
})

withDispatch('jobs of a concurrent queue run on several threads of libdispatch at the same time', async t => {
  const jobs = new NativeJobs(DispatchQueue.global('user-initiated'))
  const large = [plain(randomBytes(4_000_000))]
  const width = Math.min(2, availableParallelism())
  // A busy machine may start the second thread when the first has done everything.
  do await Promise.all(Array.from({ length: 8 }, () => jobs.keccak256(large)))
  while (backendInfo().jobs.mostAtOnce < width)
  const { mostAtOnce, threads, performed } = backendInfo().jobs
  t.true(mostAtOnce >= width && threads >= width && performed >= 8, JSON.stringify(backendInfo().jobs))
})

withDispatch('a suspended queue keeps its jobs, and what waits there does not outlive the program', async t => {
  const queue = new DispatchQueue('jobs.suspended', { target: DispatchQueue.global() })
  const jobs = new NativeJobs(queue)
  queue.suspend()
  let answered = false
  const answer = jobs.keccak256([new Uint8Array(1)]).then(() => {
    answered = true
  })
  await new Promise(resolve => setTimeout(resolve, 5))
  t.false(answered)
  queue.resume()
  await answer
  t.true(answered)
})

withAddon('more answers than one call tells of arrive all, each once', async t => {
  const jobs = new NativeJobs(new PinnedThread({ name: 'many' }))
  const before = backendInfo().jobs.performed
  const messages = Array.from({ length: 1000 }, (_, index) => Uint8Array.of(index & 255, index >> 8))
  const answers = messages.map(message => jobs.keccak256([message]))
  // This thread looks away until all are done, so that they wait together.
  while (backendInfo().jobs.performed < before + messages.length);
  const digests = (await Promise.all(answers)).map(([digest]) => digest)
  t.deepEqual(digests, messages.map(cipher.keccak256))
})

withAddon('a chain of jobs whose answers are always there leaves libuv its turns', async t => {
  const jobs = new NativeJobs(new PinnedThread({ name: 'chain' }))
  const message = [new Uint8Array(1)]
  const wanted = 20
  let turns = 0
  const turn = () => {
    if (++turns < wanted) setImmediate(turn)
  }
  setImmediate(turn)
  let links = 0
  while (turns < wanted && links < 10_000) {
    const before = backendInfo().jobs.performed
    const answer = jobs.keccak256(message)
    // Done before this thread looks again, so that only the lane's own limit can send it to libuv.
    while (backendInfo().jobs.performed === before);
    await answer
    links++
  }
  t.is(turns, wanted)
})

withAddon('a pinned thread has its name and stays on its CPU', async t => {
  const thread = new PinnedThread({ name: 'pinned-test', cpu: 0, priority: 5 })
  await new NativeJobs(thread).keccak256([new Uint8Array(1)])
  t.true(thread.systemId > 0)
  if (process.platform === 'linux') {
    t.is(thread.refused, '')
    const status = readFileSync(`/proc/self/task/${thread.systemId}/status`, 'utf8')
    t.regex(status, /^Name:\s*pinned-test$/m)
    t.regex(status, /^Cpus_allowed_list:\s*0$/m)
    const stat = readFileSync(`/proc/self/task/${thread.systemId}/stat`, 'utf8')
    t.is(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16], '5')
  }
  await thread.stop()
  await thread.stop()
  // The kernel wakes who joins a thread some steps before it takes the thread out of its lists.
  const listed = () => process.platform === 'linux' && existsSync(`/proc/self/task/${thread.systemId}`)
  while (listed()) await new Promise(resolve => setTimeout(resolve, 1))
  await t.throwsAsync(new NativeJobs(thread).keccak256([new Uint8Array(1)]), { code: 'THREAD_STOPPED' })
})

withAddon('what a system refuses is said, and the thread works all the same', async t => {
  const thread = new PinnedThread({ name: 'refused', cpu: 1000 })
  t.not(thread.refused, '')
  const [digest] = await new NativeJobs(thread).keccak256([new Uint8Array(0)])
  t.is(digest.length, 32)
  await thread.stop()
})

withAddon('stop waits for what was submitted before', async t => {
  const thread = new PinnedThread({ name: 'stopping' })
  const jobs = new NativeJobs(thread)
  const answers = Array.from({ length: 20 }, () => jobs.keccak256([new Uint8Array(200_000)]))
  await thread.stop()
  t.is((await Promise.all(answers)).length, 20)
})

withAddon('whoever stops a thread that is stopping waits for its end, too', async t => {
  const thread = new PinnedThread({ name: 'stopping' })
  let done = false
  void new NativeJobs(thread).keccak256([new Uint8Array(2_000_000)]).then(() => {
    done = true
  })
  void thread.stop()
  await thread.stop()
  t.true(done)
})

withAddon('options are checked', t => {
  t.throws(() => new PinnedThread({}), { instanceOf: AddonError, code: 'THREAD_INVALID' })
  t.throws(() => new PinnedThread({ name: 'x', priority: 40 }), { code: 'THREAD_INVALID' })
  for (const cpu of [0.5, -1, 2 ** 32, Number.NaN, '0']) {
    t.throws(() => new PinnedThread({ name: 'x', cpu }), { code: 'THREAD_INVALID' })
  }
  t.throws(() => new NativeJobs({}), { code: 'JOB_INVALID' })
})

withDispatch('a result that is sent away with its buffer takes no other result with it', async t => {
  const queue = new DispatchQueue('jobs.slab', { target: DispatchQueue.global() })
  const [first, ...others] = batchOf(3, 40)
  const [sealed] = cipher.seal([first])
  queue.suspend()
  const answer = new NativeJobs(queue).seal(others)
  // Node 20 copies instead, later ones refuse: in either case the slab stays where native code writes into it.
  try {
    structuredClone(sealed, { transfer: [sealed.buffer] })
  } catch (error) {
    t.is(error.name, 'DataCloneError')
  }
  t.is(sealed.length, 40 + 16)
  queue.resume()
  t.deepEqual(await answer, cipher.seal(others))
})

withAddon('strings and arrays are no bytes', async t => {
  const jobs = new NativeJobs(new PinnedThread({ name: 'bytes' }))
  const [job] = batchOf(1, 10)
  const text = 'sixteen bytes ok'
  for (const wrong of [
    { ...job, key: text },
    { ...job, nonce: 'twelve bytes' },
    { ...job, associatedData: text },
    { ...job, key: Array.from(job.key) },
    { ...job, data: text },
  ]) {
    t.throws(() => cipher.seal([wrong]), { instanceOf: TypeError })
    await t.throwsAsync(jobs.seal([wrong]), { instanceOf: TypeError })
  }
  await t.throwsAsync(jobs.keccak256([text]), { instanceOf: TypeError })
  t.throws(() => cipher.keccak256(text), { instanceOf: TypeError })
  t.throws(() => cipher.mask(text, text, job.data), { instanceOf: TypeError })
  t.throws(() => cipher.mask(job.key, job.key, text), { instanceOf: TypeError })
})

withAddon('a confined thread answers every call, whatever happens to it', async t => {
  const source = 'export const none = () => { throw undefined }\nexport const same = value => value'
  const confined = await PinnedThread.confine(`data:text/javascript,${encodeURIComponent(source)}`, { name: 'answers' })
  t.is(
    await confined.call('none').then(
      () => 'resolved',
      () => 'rejected',
    ),
    'rejected',
  )
  t.is(await confined.call('same', [() => {}]).catch(error => error.name), 'DataCloneError')
  t.is(await confined.call('same', [7]), 7)
  await confined.stop()
  await t.throwsAsync(confined.call('same', [7]), { code: 'THREAD_STOPPED' })
})

const library = oneThreadLibrary()
const withLibrary = library === undefined ? skipped : withAddon
const confine = options =>
  PinnedThread.confine(new URL('./one-thread/confined.js', import.meta.url), { initial: library, ...options })

withLibrary('the test library ends a process that calls it from two threads', t => {
  const script = fileURLToPath(new URL('./one-thread/second-thread.js', import.meta.url))
  const { signal, stderr } = spawnSync(process.execPath, [script, library], { encoding: 'utf8' })
  t.is(signal, 'SIGABRT')
  t.regex(stderr, /called from a second thread/)
})

withLibrary('confined to a thread, it serves callers of every kind', async t => {
  const confined = await confine({ name: 'one-thread', cpu: 0 })
  t.is(confined.refused, '')
  t.is(await confined.call('sum', [5]), 5)
  const answers = await Promise.all([
    confined.call('slowly', [1]),
    confined.call('slowly', [1]),
    confined.call('sum', [1]),
  ])
  t.deepEqual(answers, [{ before: 5, after: 6 }, { before: 6, after: 7 }, 8])
  await t.throwsAsync(confined.call('fails'), { instanceOf: RangeError, message: 'told to fail', code: 'TOLD' })
  await t.throwsAsync(confined.call('missing'), { message: /exports no function missing/ })
  if (process.platform === 'linux') {
    t.true(readdirSync('/proc/self/task').map(threadName).includes('one-thread'))
  }
  const late = confined.call('endlessly')
  await confined.stop()
  await t.throwsAsync(late, { code: 'THREAD_STOPPED' })
})

withAddon('a module that cannot be confined says why', async t => {
  await t.throwsAsync(PinnedThread.confine('file:///nowhere/module.js', { name: 'nowhere' }), { message: /nowhere/ })
})

const moduleOf = text => `data:text/javascript,${encodeURIComponent(text)}`

withAddon('what cannot be cloned is refused with a reason', async t => {
  const confined = await PinnedThread.confine(moduleOf('export const handle = () => () => {}'), { name: 'handles' })
  await t.throwsAsync(confined.call('handle'), { instanceOf: Error, message: /could not be cloned/ })
  await confined.stop()
})

withDispatch('jobs for a queue that was released are refused and forgotten', async t => {
  const queue = new DispatchQueue('jobs.released', { target: DispatchQueue.global() })
  const jobs = new NativeJobs(queue)
  queue.release()
  const next = waitingJobs.add(() => {})
  waitingJobs.take(next)
  const refused = Array.from({ length: 5 }, () => jobs.keccak256([new Uint8Array(1)]))
  t.is(
    waitingJobs.add(() => {}),
    next,
  )
  waitingJobs.take(next)
  for (const answer of refused) await t.throwsAsync(answer, { code: 'QUEUE_RELEASED' })
})
