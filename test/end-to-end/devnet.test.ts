import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { type Block, formatBlockFile } from '../../src/history/headers/block-file.ts'
import { COMMAND, spimpl, temporaryDirectory } from '../testing/end-to-end/command.ts'
import { blocksDirectory } from '../testing/history/blocks.ts'
import { vectorsMissing } from '../vectors.ts'

const blocks = blocksDirectory()
const onBlocks = blocks === undefined ? test.skip : test
if (blocks === undefined) test(vectorsMissing, t => t.pass())

test('a devnet of made blocks: every node gets every item', async t => {
  t.timeout(60_000)
  const { code, stdout, stderr } = await spimpl(['devnet', '--once', '--json', '--nodes', '4', '--rpc-port', '0'])
  t.is(code, 0, stderr)
  t.is(stdout.trim().split('\n').length, 1)
  const report = JSON.parse(stdout)
  t.like(report, { nodes: 4, items: 16, retrievals: 64, failed: 0 })
  t.is(report.viaUtp + report.inline, 64)
  t.true(report.viaUtp > 0 && report.inline > 0 && report.bytes > 0 && report.seconds > 0)
})

onBlocks('a devnet of real blocks', async t => {
  t.timeout(60_000)
  const argv = ['devnet', '--once', '--json', '--nodes', '3', '--rpc-port', '0', '--blocks', blocks!]
  const { code, stdout, stderr } = await spimpl(argv)
  t.is(code, 0, stderr)
  const report = JSON.parse(stdout)
  t.like(report, { nodes: 3, items: 20, retrievals: 60, failed: 0 })
  t.true(report.viaUtp > 0)
})

test('for people it prints a table with a line for each item', async t => {
  const { code, stdout } = await spimpl(['devnet', '--once', '--nodes', '2', '--rpc-port', '0'])
  t.is(code, 0)
  t.regex(stdout, /^item +bytes +way +hops +ms \(median\) +validated$/m)
  t.is(stdout.match(/ 2\/2$/gm)?.length, 16)
  t.regex(stdout, /^2 nodes, 32 retrievals, 0 failed; [\d.]+ MB in [\d.]+ s\n\d+ over uTP, \d+ inline; /m)
  t.true(stdout.split('\n').every(line => line.length <= 80))
})

test('a file whose receipts are not those of its header is named, and the code is that of a mistake of the user', async t => {
  const directory = await temporaryDirectory(t)
  const [block, other] = makeChain({ seed: 3, blocks: 3 }).slice(1) as [Block, Block]
  writeFileSync(path.join(directory, 'block.yaml'), formatBlockFile({ ...block, receipts: other.receipts }))
  const argv = ['devnet', '--once', '--nodes', '2', '--rpc-port', '0', '--blocks', directory]
  const { code, stdout, stderr } = await spimpl(argv)
  t.is(code, 2)
  t.is(stdout, '')
  t.regex(stderr, /^spimpl: receipts of block 2: RECEIPTS_ROOT_WRONG: .*\(FILE_INVALID\)$/m)
})

const unlessWindows = process.platform === 'win32' ? test.skip : test

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  unlessWindows(`${signal} ends a devnet that has not finished, in order, with code ${expected}`, async t => {
    const child = spawn(process.execPath, [COMMAND, 'devnet', '--nodes', '4', '--rpc-port', '0'], { stdio: 'pipe' })
    t.teardown(() => child.kill('SIGKILL'))
    let stderr = ''
    child.stderr.on('data', chunk => {
      const isFirst = !stderr.includes('starting 4 nodes')
      stderr += chunk
      if (isFirst && stderr.includes('starting 4 nodes')) child.kill(signal)
    })
    t.is(await new Promise(resolve => child.on('close', resolve)), expected, stderr)
  })
}
