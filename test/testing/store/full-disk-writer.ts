/**
 * The child of full-disk.test.ts, whose files may not grow beyond a limit: puts until a put fails, several at once,
 * then deletes an item and puts a small one in its place. Prints what it saw as a line of JSON. Argument: the file of
 * the store.
 */
import { LmdbStore } from '../../../src/store/lmdb-store.ts'
import { crashItem, crashOptions } from './crash-item.ts'

const store = await LmdbStore.open(process.argv[2]!, crashOptions)
const put = (at: number) => {
  const { contentId, key, value } = crashItem(at)
  return store.put(contentId, key, value).then(
    () => ({ at, code: 'stored', message: '' }),
    (error: { code: string; message: string }) => ({ at, code: error.code, message: error.message }),
  )
}

const outcomes = []
for (let at = 0; at < 2000 && outcomes.at(-1)?.code !== 'STORE_FAILED'; at += 4) {
  outcomes.push(...(await Promise.all([put(at), put(at + 1), put(at + 2), put(at + 3)])))
}
const usedBytes = store.usedBytes
await store.delete(crashItem(6).contentId)
await store.delete(crashItem(13).contentId)
const again = await put(7000)
await store.close()
process.stdout.write(`${JSON.stringify({ outcomes, usedBytes, again })}\n`)
