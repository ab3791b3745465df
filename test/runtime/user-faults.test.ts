import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const program = fileURLToPath(new URL('./programs/faulty-callbacks.js', import.meta.url))

test('what a user plugs in may throw: it is uncaught, and the thread goes on', async t => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 })
  const said = [
    'the queue goes on',
    'uncaught: onError',
    'told: false',
    'the actor goes on',
    'uncaught: listener',
    'uncaught: replyTo',
    'uncaught: log',
    'uncaught: log',
    'actors: 1',
  ]
  // When the uncaught ones are told is a matter of turns of the event loop.
  t.deepEqual(stdout.trim().split('\n').sort(), said.sort())
})
