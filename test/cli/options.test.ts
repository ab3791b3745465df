import test from 'ava'
import fc from 'fast-check'
import {
  HelpRequested,
  parseDecodeEnrOptions,
  parseDevnetOptions,
  parseMachinesOptions,
  parseNewEnrOptions,
  parseRunOptions,
} from '../../cli/options.ts'
import { SpimplError } from '../../src/errors.ts'

const noFiles = (path: string): string => {
  throw new Error(`ENOENT: no such file, open '${path}'`)
}
const run = (argv: string[], env: Record<string, string> = {}, readFile = noFiles) =>
  parseRunOptions(argv, env, readFile)

test('without flags every option has its default', t => {
  t.deepEqual(run([]), {
    dataDir: undefined,
    udp: { host: '0.0.0.0', port: 9009 },
    rpc: { host: '127.0.0.1', port: 8545 },
    bootnodes: 'default',
    privateKey: undefined,
    network: 'mainnet',
    radius: { type: 'auto' },
    storageBytes: 1000 * 1024 * 1024,
    headers: undefined,
    executor: 'auto',
    nat: { type: 'none' },
    logLevel: 'info',
    json: false,
  })
})

test('every flag of run is read', t => {
  const key = '11'.repeat(32)
  const argv = ['--data-dir', '/d', '--udp-host', '::1', '--udp-port', '0', '--rpc-host', 'localhost', '--rpc-port=1']
  argv.push('--bootnodes', 'enr:-aa,enr:-bb', '--private-key', `0x${key}`, '--network', 'hoodi', '--radius', '0xff')
  argv.push(
    '--storage-mb',
    '2',
    '--headers',
    'http://127.0.0.1:8551',
    '--executor',
    'dispatch',
    '--nat',
    'extip:2001:db8::1',
  )
  argv.push('--log-level', 'debug', '--json')
  t.deepEqual(run(argv), {
    dataDir: '/d',
    udp: { host: '::1', port: 0 },
    rpc: { host: 'localhost', port: 1 },
    bootnodes: ['enr:-aa', 'enr:-bb'],
    privateKey: new Uint8Array(32).fill(0x11),
    network: 'hoodi',
    radius: { type: 'fixed', radius: 255n },
    storageBytes: 2 * 1024 * 1024,
    headers: { type: 'url', url: 'http://127.0.0.1:8551' },
    executor: 'dispatch',
    nat: { type: 'extip', address: '2001:db8::1' },
    logLevel: 'debug',
    json: true,
  })
})

test('a flag goes before the environment, the environment before the file', t => {
  const files = (path: string) =>
    path === 'c.yaml' ? 'udp-port: 3\nrpcPort: 3\nSTORAGE_MB: 3\nradius: 0x0f\n' : noFiles(path)
  const env = { SPIMPL_UDP_PORT: '2', SPIMPL_RPC_PORT: '2', SPIMPL_CONFIG: 'c.yaml', SPIMPL_NETWORK: '' }
  const options = run(['--udp-port', '1'], env, files)
  t.is(options.udp.port, 1)
  t.is(options.rpc.port, 2)
  t.is(options.storageBytes, 3 * 1024 * 1024)
  t.deepEqual(options.radius, { type: 'fixed', radius: 15n })
  t.is(options.network, 'mainnet')
  t.is(run(['--config', 'd.json'], env, () => '{"rpc-port": 7, "json": true}').json, true)
})

test('a file keeps 256 bits, and lists may be lists', t => {
  const radius = `0x${'f'.repeat(63)}e`
  const text = `radius: ${radius}\nprivate-key: 0x${'22'.repeat(32)}\nbootnodes:\n  - enr:-a\n  - enr:-b\n`
  const options = run(['--config', 'c'], {}, () => text)
  t.deepEqual(options.radius, { type: 'fixed', radius: BigInt(radius) })
  t.deepEqual(options.privateKey, new Uint8Array(32).fill(0x22))
  t.deepEqual(options.bootnodes, ['enr:-a', 'enr:-b'])
  t.deepEqual(
    run(['--config', 'c'], {}, () => ''),
    run([]),
  )
})

test('an error names the flag, the value and what would be right', t => {
  const cases: [string[], RegExp][] = [
    [['--udp-port', '65536'], /^--udp-port: expected an integer from 0 to 65535, got "65536"$/],
    [['--udp-port', '1e3'], /--udp-port/],
    [['--udp-host', 'example.org'], /^--udp-host: expected an IPv4 or IPv6 address, got "example.org"$/],
    [['--radius', '0x'], /^--radius: expected auto, max, or a distance .*, got "0x"$/],
    [['--radius', `0x${'f'.repeat(65)}`], /--radius/],
    [['--network', 'goerli'], /^--network: expected one of mainnet, sepolia, hoodi, got "goerli"$/],
    [['--nat', 'upnp'], /^--nat: expected none, or extip/],
    [['--nat', 'extip:2001:db8::1'], /^--nat: expected an IPv4 address, as --udp-host 0.0.0.0 is one, got "extip:2001/],
    [['--nat', 'extip:192.0.2.1', '--udp-host', '::1'], /^--nat: expected an IPv6 address, as --udp-host ::1 is one/],
    [['--bootnodes', 'enode://1'], /--bootnodes: expected none, default/],
    [['--headers', 'ftp://x'], /--headers: expected/],
    [['--storage-mb', '-1'], /--storage-mb/],
    [['--udp-prot', '1'], /--udp-prot.*\n?.*--udp-port/s],
    [['--udp-port'], /--udp-port/],
    [['stray'], /argument/],
    [['--private-key', '@missing'], /--private-key: expected a readable file, got @missing/],
  ]
  for (const [argv, message] of cases) t.throws(() => run(argv), { instanceOf: SpimplError, code: 'USAGE', message })
})

test('an error in the environment or the file says where it stands', t => {
  t.throws(() => run([], { SPIMPL_RPC_PORT: 'x' }), {
    code: 'CONFIG_INVALID',
    message: /^SPIMPL_RPC_PORT \(--rpc-port\): .*"x"$/,
  })
  const file = (text: string) => () => run(['--config', 'c.yaml'], {}, () => text)
  t.throws(file('udp-port: no'), { code: 'CONFIG_INVALID', message: /^c.yaml: udp-port: expected an integer/ })
  t.throws(file('udp-prot: 1'), {
    code: 'CONFIG_INVALID',
    message: /c.yaml: expected one of .*udp-port.*got "udp-prot"/,
  })
  t.throws(file('udp-port: {a: 1}'), { code: 'CONFIG_INVALID', message: /mapping/ })
  t.throws(file('[1, 2]'), { code: 'CONFIG_INVALID' })
  t.throws(file('a: b: c'), { code: 'CONFIG_INVALID', message: /c.yaml: expected YAML or JSON/ })
  t.throws(() => run(['--config', 'gone']), { code: 'CONFIG_INVALID', message: /got gone: ENOENT/ })
})

test('a private key is never repeated in an error', t => {
  const key = `0x${'ab'.repeat(31)}`
  const error = t.throws(() => run(['--private-key', key]), { code: 'USAGE', message: /got 64 characters/ })
  t.false(error?.message.includes('abab'))
  const inFile = t.throws(() => run(['--private-key', '@f'], {}, () => key), { code: 'USAGE' })
  t.false(inFile?.message.includes('abab'))
  t.deepEqual(run(['--private-key', '@f'], {}, () => `${'33'.repeat(32)}\n`).privateKey, new Uint8Array(32).fill(0x33))
})

test('help is a text with every flag, and no failure', t => {
  const help = t.throws(() => run(['--help']), { instanceOf: HelpRequested }).text
  const flags = 'data-dir udp-host udp-port rpc-host rpc-port bootnodes private-key network radius storage-mb headers'
  for (const flag of `${flags} executor nat log-level json config`.split(' ')) t.true(help.includes(`--${flag}`), flag)
  t.true(help.includes('9009'))
  const { text } = t.throws(() => parseDevnetOptions(['--help'], {}, noFiles), { instanceOf: HelpRequested })
  t.true(text.includes('--nodes'))
})

test('devnet: defaults, flags and bounds', t => {
  const parse = (...argv: string[]) => parseDevnetOptions(argv, {}, noFiles)
  t.deepEqual(parse(), {
    nodes: 8,
    blocks: undefined,
    once: false,
    json: false,
    rpcPort: undefined,
    executor: 'auto',
    logLevel: 'info',
  })
  t.like(parse('--nodes', '3', '--blocks', 'b', '--once', '--json', '--rpc-port', '0', '--executor', 'event-loop'), {
    nodes: 3,
    blocks: 'b',
    once: true,
    json: true,
    rpcPort: 0,
    executor: 'event-loop',
  })
  t.throws(() => parse('--nodes', '1'), { code: 'USAGE', message: /2 to 64, got "1"/ })
})

test('what flags are given or not is undone with --no-, so that a flag goes before the environment and the file', t => {
  t.true(run([], { SPIMPL_JSON: 'true' }).json)
  t.false(run(['--no-json'], { SPIMPL_JSON: 'true' }).json)
  t.false(run(['--config', 'f', '--no-json'], {}, () => 'json: true').json)
  t.true(parseDevnetOptions(['--once'], { SPIMPL_ONCE: 'false' }, noFiles).once)
  t.false(parseDevnetOptions(['--no-once'], { SPIMPL_ONCE: 'true' }, noFiles).once)
})

test('enr and machines read their flags from the same places', t => {
  const env = { SPIMPL_PRIVATE_KEY: '11'.repeat(32), SPIMPL_IP: '192.0.2.7', SPIMPL_CONFIG: 'f', SPIMPL_JSON: '1' }
  const file = (): string => 'udp: 9009\nip: 192.0.2.8\nseq: 18446744073709551615\n'
  const made = { privateKey: '11'.repeat(32), ip: '192.0.2.7', seq: '18446744073709551615', json: true }
  t.deepEqual(parseNewEnrOptions(['--udp', '30303'], env, file), { ...made, udp: '30303' })
  t.deepEqual(parseDecodeEnrOptions(['--json', 'enr:a'], {}, noFiles), { enr: 'enr:a', json: true })
  t.deepEqual(parseDecodeEnrOptions(['enr:a'], { SPIMPL_JSON: '0' }, noFiles), { enr: 'enr:a', json: false })
  t.deepEqual(parseMachinesOptions([], { SPIMPL_JSON: '1' }, noFiles), { name: undefined, json: true })
  t.deepEqual(parseMachinesOptions(['child'], {}, noFiles), { name: 'child', json: false })
  const facts: [flag: string, value: string, expected: RegExp][] = [
    ['ip', '::1', /SPIMPL_IP \(--ip\): expected an IPv4 address, got "::1"/],
    ['ip6', '192.0.2.7', /expected an IPv6 address/],
    ['udp', '0', /expected a port from 1 to 65535, got "0"/],
    ['seq', '18446744073709551616', /expected an integer of 64 bits/],
    ['network', 'goerli', /expected one of mainnet, sepolia, hoodi, got "goerli"/],
    ['private_key', 'abcd', /expected 64 hexadecimal digits.*got 4 characters/],
  ]
  for (const [flag, value, message] of facts) {
    const wrong = { [`SPIMPL_${flag.toUpperCase()}`]: value }
    t.throws(() => parseNewEnrOptions([], wrong, noFiles), { code: 'CONFIG_INVALID', message })
  }
  t.throws(() => parseDecodeEnrOptions([], {}, noFiles), { code: 'USAGE', message: /enr/ })
  t.throws(() => parseMachinesOptions(['child', 'more'], {}, noFiles), { code: 'USAGE' })
})

test('one file serves all commands: what only another one has is passed over, what none has is refused', t => {
  const file = (): string => 'udp-port: 1\nnodes: 3\nip: 192.0.2.7\njson: true\n'
  t.is(run(['--config', 'f'], {}, file).udp.port, 1)
  t.is(parseDevnetOptions(['--config', 'f'], {}, file).nodes, 3)
  t.deepEqual(parseDecodeEnrOptions(['enr:a'], { SPIMPL_CONFIG: 'f' }, file), { enr: 'enr:a', json: true })
  t.throws(() => parseDecodeEnrOptions(['enr:a', '--config', 'f'], {}, () => 'jsn: true'), {
    code: 'CONFIG_INVALID',
    message: /got "jsn"/,
  })
})

test('a file with aliases is refused: they can repeat a word a billion times', t => {
  const bomb = Array.from(
    { length: 9 },
    (_, at) => `a${at}: &a${at} [${`${at === 0 ? 'x' : `*a${at - 1}`},`.repeat(9)}]`,
  )
  t.throws(() => run(['--config', 'f'], {}, () => bomb.join('\n')), { code: 'CONFIG_INVALID', message: /aliases/ })
})

test('property: whatever is given, the outcome is options or a SpimplError', t => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('--udp-port', '--json', '--radius', '--config', '0', 'auto', '--nat'),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), fc.string(), fc.string(), (argv, config, variable) => {
      try {
        parseRunOptions(argv, { SPIMPL_RADIUS: variable }, () => config)
      } catch (error) {
        if (!(error instanceof SpimplError) && !(error instanceof HelpRequested)) throw error
      }
    }),
  )
  t.pass()
})

test('a socket of both families may have an address of either published', t => {
  for (const address of ['192.0.2.1', '2001:db8::1']) {
    t.deepEqual(run(['--udp-host', '::', '--nat', `extip:${address}`]).nat, { type: 'extip', address })
  }
})

test('a flag that a file has twice, by two of its names, is refused', t => {
  const file = () => 'udp-port: 1\nudpPort: 2\n'
  const error = t.throws(() => run(['--config', 'c.yaml'], {}, file), {
    instanceOf: SpimplError,
    code: 'CONFIG_INVALID',
  })
  t.is(error.message, 'c.yaml: expected udp-port once, got it again as udpPort')
})
