import { readdirSync } from 'node:fs'
import test from 'ava'
import { NodeProcess, spimpl, temporaryDirectory } from '../testing/end-to-end/command.ts'

test('every command has --help, on standard output', async t => {
  for (const argv of [
    ['--help'],
    ['run', '--help'],
    ['devnet', '--help'],
    ['enr', '--help'],
    ['enr', 'new', '--help'],
    ['composition', '--help'],
  ]) {
    const { code, stdout, stderr } = await spimpl(argv)
    t.is(code, 0, argv.join(' '))
    t.regex(stdout, /[Uu]sage: spimpl/)
    t.is(stderr, '')
  }
})

test('--executor dispatch without a libdispatch is an error, not the event loop', async t => {
  const hidden = { SPIMPL_LIBDISPATCH: 'none' }
  const { code, stdout, stderr } = await spimpl(['devnet', '--once', '--executor', 'dispatch'], hidden)
  t.is(code, 2)
  t.is(stdout, '')
  t.regex(stderr, /expected a libdispatch for dispatch: .*EXECUTOR_UNAVAILABLE/)
})

test('a bad value is named, with what would be right, and the code is 2', async t => {
  const cases: readonly (readonly [argv: string[], message: RegExp])[] = [
    [['dance'], /expected one of run, devnet, enr, composition, machines, got "dance"/],
    [['machines', 'tea'], /expected one of session, stream, child, got "tea"/],
    [['run', '--udp-port', '99999'], /--udp-port.*99999/],
    [['run', '--headers', '/no/such/place'], /\/no\/such\/place/],
    [['run', '--bootnodes', 'enr:nonsense', '--udp-port', '0', '--rpc-port', '0'], /enr:nonsense/],
    [['devnet', '--nodes', '1'], /--nodes.*1/],
    [['devnet', '--blocks', '/no/such/place'], /\/no\/such\/place/],
    [['enr', 'decode', 'enr:AAAA'], /ENR_/],
    [['enr', 'new', '--private-key', 'zz'], /private/i],
  ]
  for (const [argv, message] of cases) {
    const { code, stdout, stderr } = await spimpl(argv)
    t.is(code, 2, `${argv.join(' ')}: ${stderr}`)
    t.regex(stderr, message)
    t.is(stdout, '')
  }
})

test('enr new makes what enr decode reads', async t => {
  const made = await spimpl(['enr', 'new', '--ip', '192.0.2.7', '--udp', '9009', '--network', 'mainnet', '--json'])
  t.is(made.code, 0, made.stderr)
  const { enr, nodeId, privateKey } = JSON.parse(made.stdout)
  t.regex(privateKey, /^0x[0-9a-f]{64}$/)
  const read = await spimpl(['enr', 'decode', enr, '--json'])
  t.like(JSON.parse(read.stdout), { nodeId, ip: '192.0.2.7', udp: 9009, signatureValid: true })
})

test('a port that is taken ends run with an error that names it', async t => {
  const { createSocket } = await import('node:dgram')
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  t.teardown(() => socket.close())
  const { port } = socket.address()
  const argv = ['run', '--udp-host', '127.0.0.1', '--udp-port', String(port), '--rpc-port', '0', '--bootnodes', 'none']
  const { code, stderr } = await spimpl(argv)
  t.not(code, 0)
  t.true(stderr.includes(`127.0.0.1:${port}`), stderr)
})

test('a data directory keeps the content of each network by itself: a block number names another block on each', async t => {
  const directory = await temporaryDirectory(t)
  for (const network of ['mainnet', 'sepolia']) {
    const node = await NodeProcess.start(t, ['--data-dir', directory, '--network', network])
    t.is(await node.stop(), 0)
  }
  const databases = readdirSync(directory).filter(name => name.endsWith('.mdb'))
  t.deepEqual(databases.sort(), ['history-sepolia.mdb', 'history.mdb'])
})

test('the composition of a node is printed from the value that runs', async t => {
  const { code, stdout } = await spimpl(['composition'])
  t.is(code, 0)
  t.regex(stdout, /^\| network: rest-for-one \| ports /m)
  t.regex(stdout, /^\| +\| overlay +\| main \| network \| ports, storage, validation, discovery, streams +\|$/m)
  t.regex((await spimpl(['composition', '--mermaid'])).stdout, /^flowchart BT\n {2}subgraph supervisor0/)
  const rows = JSON.parse((await spimpl(['composition', '--json'])).stdout) as { readonly row: string }[]
  t.deepEqual(
    rows.map(({ row }) => row),
    ['ports', 'storage', 'validation', 'transport', 'discovery', 'streams', 'overlay', 'events', 'rpc'],
  )
})

test('machines are drawn from what runs', async t => {
  const { code, stdout } = await spimpl(['machines'])
  t.is(code, 0)
  t.is(stdout.match(/^stateDiagram-v2$/gm)?.length, 3)
  t.regex(stdout, /^ {2}state "syn-sent" as syn_sent$/m)
  t.regex(stdout, /^ {2}syn_sent --> connected: establish$/m)
  const { stdout: json } = await spimpl(['machines', 'stream', '--json'])
  t.deepEqual(JSON.parse(json).stream.transitions[0], { from: 'idle', event: 'connect', to: 'syn-sent' })
})
