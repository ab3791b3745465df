/** Two ends of a link, for tests; run as a worker, this module is one that sends back what it is sent. */
import { type MessagePort, parentPort, type Worker, workerData } from 'node:worker_threads'
import { Doorbell } from 'spimpl-runtime/internal/lanes/doorbell.js'
import { LaneLink } from 'spimpl-runtime/internal/lanes/lane-link.js'
import { LaneWatch } from 'spimpl-runtime/internal/lanes/lane-watch.js'
import { SharedRing } from 'spimpl-runtime/internal/lanes/shared-ring.js'
import { SpinPolicy } from 'spimpl-runtime/internal/lanes/spin-policy.js'

/** Never looks longer: a wake-up that is lost is not made good by a look that happens to come later. */
export class NeverSpin extends SpinPolicy {
  override get isOn(): boolean {
    return false
  }

  override shouldSpin(): boolean {
    return false
  }
}

/** One end as the other thread needs it. */
export interface End {
  readonly incoming: SharedArrayBuffer
  readonly outgoing: SharedArrayBuffer
  readonly ownBell: SharedArrayBuffer
  readonly otherBell: SharedArrayBuffer
}

export function twoEnds(ringBytes: number): readonly [End, End] {
  const [there, back] = [SharedRing.allocate(ringBytes).buffer, SharedRing.allocate(ringBytes).buffer]
  const [bell, other] = [new Doorbell().buffer, new Doorbell().buffer]
  return [
    { incoming: back, outgoing: there, ownBell: bell, otherBell: other },
    { incoming: there, outgoing: back, ownBell: other, otherBell: bell },
  ]
}

export function linkOf(end: End, port: MessagePort | Worker, take: (payload: unknown, id: number) => void): LaneLink {
  const ends = {
    incoming: new SharedRing(end.incoming),
    outgoing: new SharedRing(end.outgoing),
    bell: new Doorbell(end.otherBell),
    port,
    watch: new LaneWatch(new Doorbell(end.ownBell), new NeverSpin()),
    root: { leisureMs: Number.POSITIVE_INFINITY },
  }
  const unexpected = () => {
    throw new Error('expected that everything can be sent')
  }
  return new LaneLink(ends, (_lane, _kind, id, _messageId, _causeId, payload) => take(payload, id), unexpected)
}

const echoing = workerData as End | null
if (echoing?.ownBell !== undefined) {
  const link = linkOf(echoing, parentPort as unknown as MessagePort, (payload, id) =>
    link.send(0, 0, id, 0, 0, payload, true),
  )
}
