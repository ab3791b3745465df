import test from 'ava'
import { type DeadLetter, System } from 'spimpl-runtime'
import { LaneHub, MAIN_LANE } from 'spimpl-runtime/internal/lanes/lane-hub.js'
import { ANSWER, TELL } from 'spimpl-runtime/internal/lanes/lane-kinds.js'
import type { LaneLink } from 'spimpl-runtime/internal/lanes/lane-link.js'

test('what one worker lane sends to another does not pile up where the other is slow, but answers always pass', async t => {
  await using system = new System({ log: () => {} })
  const hub = new LaneHub(system.host, MAIN_LANE)
  const letters: DeadLetter[] = []
  system.deadLetters.subscribe(letter => letters.push(letter))
  const sent: unknown[][] = []
  const slow = { congested: false, send: (...message: unknown[]) => sent.push(message) }
  hub.connect(2, slow as unknown as LaneLink)
  t.true(hub.receive(2, TELL, 7, 100, 99, { type: 'first' }, true))
  slow.congested = true
  t.true(hub.receive(2, TELL, 7, 101, 99, { type: 'second' }, true))
  t.true(hub.receive(2, ANSWER, 3, 0, 0, 42, true))
  t.deepEqual(sent, [
    [2, TELL, 7, 100, 99, { type: 'first' }, true],
    [2, ANSWER, 3, 0, 0, 42, true],
  ])
  t.deepEqual(
    letters.map(({ reason, message, messageId }) => ({ reason, message, messageId })),
    [{ reason: 'mailbox-full', message: { type: 'second' }, messageId: 101 }],
  )
})
