import test from 'ava'
import { type Ref, System } from 'spimpl-runtime'
import { type Counter, good } from './actor-type-cases.ts'

test('a reference to a part of the messages is given where fewer are sent', async t => {
  await using system = new System()
  const ref = system.spawn(good)
  const addsOnly: Ref<Extract<Counter, { readonly type: 'add' }>> = ref
  t.true(addsOnly.tell({ type: 'add', by: 1 }))
})
