/** Three compositions with a timer, a socket and a thread each, whose starts fail: the process must end by itself. */
import { createSocket } from 'node:dgram'
import { behavior, composition, fromModule, type SpimplError } from 'spimpl-runtime'
import type { Placed, PlacedInput, Told } from './row-modules.js'

const module = new URL('./row-modules.js', import.meta.url)
const log = behavior<Told>(() => ({ told: () => {} }))

const busy = behavior<Told>(context => {
  const socket = createSocket('udp4').bind(0)
  const interval = setInterval(() => {}, 1_000)
  context.timers.set('late', 3_600_000, { type: 'told', what: 'late' })
  context.onStop(() => {
    clearInterval(interval)
    return new Promise<void>(resolve => void socket.close(resolve))
  })
  return { told: () => {} }
})

const base = composition('base', { phase: { name: 'base', deadlineMs: 500 } })
  .with('busy', { behavior: () => busy })
  .with('log', { behavior: () => log })
  .with('placed', {
    needs: ['log'],
    behavior: fromModule<Placed, PlacedInput>({ module, name: 'placed' }),
    input: ({ log }) => ({ name: 'placed', to: log }),
    lane: 'one',
  })

const hanging = fromModule<Placed>({ module: new URL('./hanging-module.js', import.meta.url), name: 'never' })
const never = () => new Promise<never>(() => {})
const broken = behavior<Told>(() => {
  throw new RangeError('broken')
})
const failing = {
  hangs: base.with('hangs', { behavior: hanging, lane: 'two', timeoutMs: 100 }),
  late: base.with('late', { behavior: () => busy, ready: never, timeoutMs: 100 }),
  throws: base.with('throws', { behavior: () => broken }),
}
for (const [name, composition] of Object.entries(failing)) {
  await composition.start({ log: () => {} }).catch((error: SpimplError) => {
    if (!error.message.includes(`row ${name} failed`)) throw error
    console.log(`${error.code} of ${name}: ${(error.cause as SpimplError).code}`)
  })
}
