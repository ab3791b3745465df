import test from 'ava'
import fc from 'fast-check'
import { SpinPolicy } from 'spimpl-runtime/internal/lanes/spin-policy.js'

/** @returns how often it was tried at so many occasions */
function triesIn(spinPolicy: SpinPolicy, occasions: number, pays: (occasion: number) => boolean): number {
  let tries = 0
  for (let occasion = 0; occasion < occasions; occasion++) {
    if (!spinPolicy.shouldSpin()) continue
    tries++
    spinPolicy.record(pays(occasion))
  }
  return tries
}

test('what never pays is hardly tried', t => {
  const spinPolicy = new SpinPolicy()
  triesIn(spinPolicy, 5_000, () => false)
  t.true(triesIn(spinPolicy, 10_240, () => false) <= 20)
})

test('what pays is tried each time, a miss now and then forgiven', t => {
  const spinPolicy = new SpinPolicy()
  triesIn(spinPolicy, 100, () => true)
  t.is(
    triesIn(spinPolicy, 1_000, occasion => occasion % 5 !== 0),
    1_000,
  )
})

test('after whatever was, a change is found: what pays from now on, and what does not', t => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), past => {
      const spinPolicy = new SpinPolicy()
      triesIn(spinPolicy, past.length, occasion => past[occasion]!)
      const toFind = triesIn(spinPolicy, 1_400, () => true)
      const toLose = triesIn(spinPolicy, 300, () => false)
      return toFind > 300 && toLose < 30 && triesIn(spinPolicy, 1_400, () => true) > 300
    }),
  )
  t.pass()
})
