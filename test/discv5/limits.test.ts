import test from 'ava'
import { discoveryLimits } from '../../src/discv5/limits.ts'

test('limits: the defaults with the changes; an unknown or non-positive limit is refused', t => {
  t.is(discoveryLimits({ sessions: 7 }).sessions, 7)
  t.throws(() => discoveryLimits({ sessions: 0 }), { code: 'CONFIG_INVALID' })
  t.throws(() => discoveryLimits({ sessions: Number.NaN }), { code: 'CONFIG_INVALID' })
  t.throws(() => discoveryLimits({ session: 1 } as never), { code: 'CONFIG_INVALID' })
})
