import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { backendInfo } from 'node-dispatch-addon'

const examples = path.resolve(import.meta.dirname, '..', '..', 'examples')
const run = async (name: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(examples, `${name}.js`)])
  return stdout
}

const { addon } = backendInfo()
const addonTest = addon.loaded || process.env.CI === 'true' ? test : test.skip

addonTest('SQLite on a thread of its own', async t => {
  t.true(existsSync(path.join(examples, 'confined-sqlite.js')))
  const printed = await run('confined-sqlite')
  if (printed.startsWith('there is no SQLite here')) {
    t.not(process.env.CI, 'true', printed)
    t.log(printed)
    return
  }
  t.regex(printed, /^8,h0,h7$/m)
  t.regex(printed, /^with (node:sqlite|the system's SQLite 3\.)/m)
  t.regex(printed, /no such column: nonsense/)
})

addonTest('a library of one thread and eight callers', async t => {
  t.regex(await run('one-thread-library'), /^(sums of eight callers: 1,2,3,4,5,6,7,8|this example builds)/)
})
