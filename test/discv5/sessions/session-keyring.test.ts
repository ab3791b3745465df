import test from 'ava'
import fc from 'fast-check'
import { nonceOf, SessionKeyring, SessionKeys } from '../../../src/discv5/sessions/session-keyring.ts'

const newKeys = (isConfirmed = false, sealed = 0): SessionKeys =>
  new SessionKeys({ writeKey: new Uint8Array(16), readKey: new Uint8Array(16), isConfirmed, sealed })

test('adopt: confirmed keys are still read, keys that the peer never used are dropped', t => {
  const keyring = new SessionKeyring()
  t.is(keyring.first, undefined)
  const [unused, used, next] = [newKeys(), newKeys(), newKeys()]
  keyring.adopt(unused)
  keyring.adopt(used)
  t.is(keyring.after(used), undefined)
  used.confirm()
  keyring.adopt(next)
  t.is(keyring.sending, next)
  t.is(keyring.first, next)
  t.is(keyring.after(next), used)
  t.is(keyring.after(used), next)
})

test('give up: what the peer still seals under the keys is read', t => {
  const keyring = new SessionKeyring()
  const keys = newKeys(true)
  keyring.adopt(keys)
  keyring.giveUp()
  t.is(keyring.sending, undefined)
  t.is(keyring.first, keys)
  t.is(keyring.after(keys), undefined)
  keyring.swapTo(keys)
  t.is(keyring.sending, keys)
})

test('a key seals 2^32 messages, each with its own counter, and no more', t => {
  const keys = newKeys(true, 2 ** 32 - 2)
  const random = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  t.deepEqual(nonceOf(keys.nextCounter(), random), Uint8Array.of(255, 255, 255, 254, ...random))
  t.false(keys.isExhausted)
  t.deepEqual(nonceOf(keys.nextCounter(), random), Uint8Array.of(255, 255, 255, 255, ...random))
  t.true(keys.isExhausted)
  t.throws(() => keys.nextCounter(), { code: 'INVARIANT_BROKEN' })
})

test('property: whatever happens, at most two pairs are alive, and confirmed keys survive one change', t => {
  const verb = fc.constantFrom('adopt', 'readAlso', 'swapTo', 'giveUp', 'dropUnconfirmed', 'confirm')
  fc.assert(
    fc.property(fc.array(verb, { maxLength: 40 }), verbs => {
      const keyring = new SessionKeyring()
      for (const one of verbs) {
        const { sending } = keyring
        if (one === 'adopt' || one === 'readAlso' || one === 'swapTo') keyring[one](newKeys())
        else if (one === 'confirm') sending?.confirm()
        else keyring[one]()
        const { first } = keyring
        const second = first === undefined ? undefined : keyring.after(first)
        t.true(first === undefined || first !== second)
        t.is(keyring.sending === undefined || keyring.sending === first, true)
        if (sending?.isConfirmed && (one === 'adopt' || one === 'swapTo')) t.is(second, sending)
        if (one === 'giveUp') t.is(keyring.first, sending)
        if (one === 'dropUnconfirmed') t.true(keyring.sending?.isConfirmed ?? true)
      }
    }),
  )
})
