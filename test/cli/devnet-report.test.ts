import test from 'ava'
import { Progress } from '../../cli/devnet-report.ts'

test('on a terminal a line is rewritten; after the last word nothing is said', t => {
  const written: string[] = []
  const terminal = { isTTY: true, columns: 20, write: (text: string) => written.push(text) }
  const progress = new Progress(terminal as unknown as NodeJS.WriteStream)
  progress.say('retrieved 1 of 2, and so on beyond the edge')
  progress.done()
  progress.say('retrieved 2 of 2, 1 failed')
  progress.done()
  t.deepEqual(written, ['\r\x1b[Kretrieved 1 of 2, a', '\r\x1b[K'])
})
