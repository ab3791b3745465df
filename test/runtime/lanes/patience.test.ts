import test from 'ava'
import fc from 'fast-check'
import { Patience } from 'spimpl-runtime/internal/lanes/patience.js'

/** @returns how often it was tried at so many occasions */
function triesIn(patience: Patience, occasions: number, pays: (occasion: number) => boolean): number {
  let tries = 0
  for (let occasion = 0; occasion < occasions; occasion++) {
    if (!patience.occasion()) continue
    tries++
    patience.learn(pays(occasion))
  }
  return tries
}

test('what never pays is hardly tried', t => {
  const patience = new Patience()
  triesIn(patience, 5_000, () => false)
  t.true(triesIn(patience, 10_240, () => false) <= 20)
})

test('what pays is tried each time, a miss now and then forgiven', t => {
  const patience = new Patience()
  triesIn(patience, 100, () => true)
  t.is(
    triesIn(patience, 1_000, occasion => occasion % 5 !== 0),
    1_000,
  )
})

test('after whatever was, a change is found: what pays from now on, and what does not', t => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), past => {
      const patience = new Patience()
      triesIn(patience, past.length, occasion => past[occasion]!)
      const toFind = triesIn(patience, 1_400, () => true)
      const toLose = triesIn(patience, 300, () => false)
      return toFind > 300 && toLose < 30 && triesIn(patience, 1_400, () => true) > 300
    }),
  )
  t.pass()
})
