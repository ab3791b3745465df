import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { COMMAND, NodeProcess, spimpl, temporaryDirectory } from '../testing/end-to-end/command.ts'

/** Takes bytes as a full disk does. */
const FULL = '/dev/full'
const whereFull = existsSync(FULL) ? test : test.skip

/** Runs the command with its standard output elsewhere. */
async function withOutput(
  stdout: 'closed' | number,
  argv: readonly string[],
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, ...argv], {
    stdio: ['ignore', stdout === 'closed' ? 'pipe' : stdout, 'pipe'],
  })
  if (stdout === 'closed') child.stdout!.destroy()
  let stderr = ''
  child.stderr!.on('data', chunk => {
    stderr += chunk
  })
  return { code: await new Promise(resolve => child.on('close', resolve)), stderr }
}

function fullDisk(t: ExecutionContext): number {
  const disk = openSync(FULL, 'w')
  t.teardown(() => closeSync(disk))
  return disk
}

test('a reader that has gone ends a network in order, with the code of a broken pipe and nothing to read', async t => {
  const { code, stderr } = await withOutput('closed', ['devnet', '--once', '--json', '--nodes', '2'])
  t.is(code, 141, stderr)
  t.notRegex(stderr, /Error|EPIPE/)
})

whereFull('a result that could not be written is a failure', async t => {
  for (const argv of [
    ['enr', 'new'],
    ['machines', 'child'],
    ['run', '--help'],
    ['devnet', '--once', '--nodes', '2'],
  ]) {
    const { code, stderr } = await withOutput(fullDisk(t), argv)
    t.is(code, 1, argv.join(' '))
    t.regex(stderr, /^spimpl: could not write to standard output: ENOSPC.*\n$/m)
    t.notRegex(stderr, /at .*\.js:/, 'no stack')
  }
})

whereFull('a log that cannot be written ends no node, and a terminal that closes ends it in order', async t => {
  const node = await NodeProcess.start(t, ['--log-level', 'trace'], {}, fullDisk(t))
  t.regex(await node.result<string>('web3_clientVersion'), /^spimpl\//)
  t.is(await node.stop('SIGHUP'), 0)
})

test('a private key that is none is refused before it is kept', async t => {
  const directory = await temporaryDirectory(t)
  const { code, stderr } = await spimpl(['run', '--data-dir', directory, '--private-key', '0'.repeat(64)])
  t.is(code, 2)
  t.regex(stderr, /--private-key: expected a private key between 1 and the order of secp256k1 \(KEY_INVALID\)/)
  t.deepEqual(readdirSync(directory), [])
})
