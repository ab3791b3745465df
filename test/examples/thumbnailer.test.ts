import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { projectRoot } from '../vectors.ts'

const run = promisify(execFile)
const program = path.join(projectRoot, 'dist', 'examples', 'thumbnailer.js')

test('a picture becomes the means of its squares, and one that is none is named', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'spimpl-thumbnailer-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const file = path.join(directory, 'picture.ppm')
  // Two squares of two by two pixels: the left one has two shades of red, the right one is blue.
  const row = [10, 0, 0, 20, 0, 0, 0, 0, 90, 0, 0, 90]
  await writeFile(file, Buffer.concat([Buffer.from('P6\n4 2\n255\n'), Buffer.from([...row, ...row])]))
  const { stdout } = await run(process.execPath, [program, '--factor', '2', file])
  t.is(stdout.trim(), `${file}: 2 x 1`)
  const small = await readFile(path.join(directory, 'picture.thumb.ppm'))
  t.deepEqual(small, Buffer.concat([Buffer.from('P6\n2 1\n255\n'), Buffer.from([15, 0, 0, 0, 0, 90])]))

  await writeFile(file, 'P6\n4 2\n255\nshort')
  const error = await t.throwsAsync(run(process.execPath, [program, file]), { code: 1 } as never)
  t.regex(error?.message ?? '', /expected 24 bytes of pixels, got 5/)
})
