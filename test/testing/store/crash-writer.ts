/**
 * The child of crash.test.ts: puts items without end, several at once, and prints the number of each when it is
 * acknowledged. Argument: the file of the store.
 */
import { LmdbStore } from '../../../src/store/lmdb-store.ts'
import { crashItem, crashOptions } from './crash-item.ts'

const store = await LmdbStore.open(process.argv[2]!, crashOptions)

const AT_ONCE = 8
let next = store.count
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (;;) {
      const at = next++
      const { contentId, key, value } = crashItem(at)
      const outcome = await store.put(contentId, key, value)
      process.stdout.write(`${at} ${outcome.stored}\n`)
    }
  }),
)
