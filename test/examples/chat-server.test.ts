import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { projectRoot } from '../vectors.ts'

const program = path.join(projectRoot, 'dist', 'examples', 'chat-server.js')

test('it serves until it is told to stop, says good-bye to who is there, and nobody is late', async t => {
  const server = spawn(process.execPath, [program, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  const printed = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const { value: greeting } = await printed.next()
  const port = Number(/^listening on 127\.0\.0\.1:(\d+)$/.exec(greeting ?? '')?.[1])

  const client = () => {
    const socket = connect(port, '127.0.0.1')
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    return { socket, next: async () => (await lines.next()).value as string | undefined }
  }
  const ada = client()
  ada.socket.write('ada\n')
  t.is(await ada.next(), '* ada joined, 1 here')

  const second = client()
  second.socket.write('ada\n')
  t.is(await second.next(), '* that name is taken, another?')
  // A line in three pieces is one line.
  for (const piece of ['b', 'ob\nhel', 'lo\r\n']) second.socket.write(piece)
  t.is(await ada.next(), '* bob joined, 2 here')
  t.is(await ada.next(), 'bob: hello')

  // A line without end is refused, and only who sent it notices.
  const endless = client()
  endless.socket.write('x'.repeat(5_000))
  t.is(await endless.next(), '* good-bye')

  const ended = once(server, 'exit')
  server.kill('SIGTERM')
  t.is(await ada.next(), '* good-bye')
  const [code] = await ended
  t.is(code, 0)
  t.regex((await printed.next()).value ?? '', /^connections: 2 stopped, 0 late$/)
  t.is((await printed.next()).value, 'room: 1 stopped, 0 late')
})

test('who does not read is cut off at the deadline of its phase, and the process ends', async t => {
  const server = spawn(process.execPath, [program, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  const printed = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const port = Number(/:(\d+)$/.exec((await printed.next()).value ?? '')?.[1])
  const deaf = connect(port, '127.0.0.1')
  t.teardown(() => deaf.destroy())
  deaf.write('deaf\n')
  await once(deaf, 'data')
  deaf.pause()

  const loud = connect(port, '127.0.0.1')
  t.teardown(() => loud.destroy())
  loud.write('loud\n')
  await once(loud, 'data')
  // Far more than the buffers of a loopback socket hold, in batches for which the mailbox of who reads has room.
  const line = `${'x'.repeat(1_000)}\n`
  let heard = 0
  loud.on('data', bytes => {
    heard += bytes.length
  })
  for (let sent = 0; sent < 12_000; sent += 100) {
    loud.write(line.repeat(100))
    const all = heard + 100 * `loud: ${line}`.length
    while (heard < all) await once(loud, 'data')
  }
  const ended = once(server, 'exit')
  server.kill('SIGTERM')
  t.is((await printed.next()).value, 'connections: 2 stopped, 1 late')
  const [code] = await ended
  t.is(code, 0)
})

test('--help says how', async t => {
  const help = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { value } = await createInterface({ input: help.stdout })[Symbol.asyncIterator]().next()
  t.regex(value ?? '', /^usage: node chat-server\.js/)
})
