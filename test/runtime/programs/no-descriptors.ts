/** Takes all descriptors, asks the compute pool for two tasks, gives the descriptors back, and asks again. Prints what came. */
import { closeSync, openSync } from 'node:fs'
import { SpimplError } from 'spimpl-runtime'
import { ComputePool } from 'spimpl-runtime/compute-pool'

const square = {
  module: new URL('../compute-tasks.js', import.meta.url),
  name: 'square',
  types: undefined as never as (n: number) => number,
}
const pool = new ComputePool({ threads: 1 })
const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  // EMFILE: that was the last one.
}
const outcome = (n: number) =>
  pool.run(square, n).then(String, (error: unknown) => (error instanceof SpimplError ? error.code : String(error)))
const [first, second] = await Promise.all([outcome(5), outcome(6)])
for (const descriptor of taken) closeSync(descriptor)
const third = await outcome(7)
await pool.close()
console.log([first, second, third].join('\n'))
