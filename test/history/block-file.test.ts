import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { toHex } from '../../src/codec/hex.ts'
import { loadBlocks, readBlockFile, readFileHeader } from '../../src/history/headers/block-file.ts'
import { blocksDirectory } from '../testing/history/blocks.ts'
import { headerOf } from '../testing/history/headers.ts'

const vectorTest = blocksDirectory() === undefined ? test.skip : test

const HEADER = toHex(headerOf(7n).bytes)

async function fileOf(t: ExecutionContext, text: string, name = 'block.yaml'): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-blocks-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const file = path.join(directory, name)
  await writeFile(file, text)
  return file
}

test('a file with all three', async t => {
  const file = await fileOf(t, `header: ${HEADER}\nbody: 0xc2c0c0\nreceipts: 0xc0\n`)
  const block = await readBlockFile(file)
  t.is(block.header.number, 7n)
  t.deepEqual(block.body, Uint8Array.of(0xc2, 0xc0, 0xc0))
  t.deepEqual(block.receipts, Uint8Array.of(0xc0))
  t.deepEqual(await readFileHeader(file), block.header)
  const [loaded] = await loadBlocks(path.dirname(file))
  t.is(loaded?.number, 7n)
})

for (const [what, text, message] of [
  ['no header', 'body: 0xc0\n', /expected a key "header"/],
  ['a header that is none', 'header: 0xc0\n', /"header" is no block header: .*fields, got 0/],
  ['digits that are none', 'header: 0xzz\n', /"header": expected hex digits/],
  ['half a byte', 'header: 0x1\n', /"header": expected an even number/],
  ['a list for a value', `header: ${HEADER}\nbody: [1]\n`, /expected "body" to be 0x-hex/],
  ['a list', '- header\n', /expected the keys/],
  ['nothing', '', /expected the keys/],
  ['a key twice', `header: ${HEADER}\nheader: ${HEADER}\n`, /expected YAML, DUPLICATE_KEY at byte/],
  ['an alias', `header: &a ${HEADER}\nbody: *a\n`, /expected no YAML aliases/],
  ['no YAML', 'header: "0x\n', /expected YAML, [A-Z_]+ at byte/],
] as const) {
  test(`${what}: the error names the file`, async t => {
    const file = await fileOf(t, text)
    const error = await t.throwsAsync(readBlockFile(file), { code: 'FILE_INVALID', message })
    t.true(error?.message.startsWith(`${file}: `))
  })
}

test('other keys are not looked at', async t => {
  const file = await fileOf(t, `number: 7\nheader: ${HEADER}\nsource: {client: geth}\n`)
  const block = await readBlockFile(file)
  t.deepEqual(Object.keys(block), ['header'])
  t.deepEqual(await readFileHeader(file), block.header)
})

test('missing keys', async t => {
  const file = await fileOf(t, `header: ${HEADER}\nbody: 0xc0\n`)
  await t.throwsAsync(loadBlocks(path.dirname(file)), { code: 'FILE_INVALID', message: /expected a key "receipts"/ })
  await t.throwsAsync(readBlockFile(`${file}.not`), { code: 'FILE_INVALID', message: /can be read \(ENOENT/ })
  await t.throwsAsync(readFileHeader(`${file}.not`), { code: 'FILE_INVALID', message: /can be read \(ENOENT/ })
  await t.throwsAsync(loadBlocks(`${file}.not`), {
    code: 'FILE_INVALID',
    message: /expected a directory of block files/,
  })
  const other = await fileOf(t, 'nothing', 'notes.txt')
  await t.throwsAsync(loadBlocks(path.dirname(other)), { code: 'FILE_INVALID', message: /found none/ })
})

test('one block in two files', async t => {
  const text = `header: ${HEADER}\nbody: 0xc2c0c0\nreceipts: 0xc0\n`
  const file = await fileOf(t, text)
  await writeFile(path.join(path.dirname(file), 'copy.yaml'), text)
  await t.throwsAsync(loadBlocks(path.dirname(file)), { code: 'FILE_INVALID', message: /block 7 is in another file/ })
})

vectorTest('the real blocks, in order', async t => {
  const blocks = await loadBlocks(blocksDirectory()!)
  t.is(blocks.length, 10)
  t.deepEqual(
    blocks.map(({ number }) => number),
    blocks.map(({ number }) => number).toSorted((a, b) => (a < b ? -1 : 1)),
  )
  t.is(blocks[1]?.receipts.length, 1_587_870)
})
