import { RlpFault, type RlpReader } from '../../codec/rlp.ts'
import { MAX_TRIE_ITEMS } from './ordered-trie.ts'

/** Where each item of a list starts. The reader returns to the first. */
export function itemStarts(list: RlpReader, what: string): number[] {
  const first = list.at
  const starts: number[] = []
  while (!list.atEnd) {
    if (starts.length === MAX_TRIE_ITEMS) throw new RlpFault(`expected at most ${MAX_TRIE_ITEMS} ${what}`)
    starts.push(list.at)
    list.skip()
  }
  list.at = first
  return starts
}
