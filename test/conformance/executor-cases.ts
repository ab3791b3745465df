import { actorAsks } from './actor-asks.ts'
import { actorDeadlines } from './actor-deadlines.ts'
import { actorEnds } from './actor-ends.ts'
import { actorFaults } from './actor-faults.ts'
import { actorMessages } from './actor-messages.ts'
import { actorObservation } from './actor-observation.ts'
import { actorRestarts } from './actor-restarts.ts'
import { actorSupervision } from './actor-supervision.ts'
import { queueFaults } from './queue-faults.ts'
import { queueOrder } from './queue-order.ts'
import { queueService } from './queue-service.ts'
import { queueSources } from './queue-sources.ts'
import { queueSync } from './queue-sync.ts'
import { queueTree } from './queue-tree.ts'
import { queueWaiting } from './queue-waiting.ts'
import type { Cases, QueueCases } from './stage.ts'

/** What queues must show on every executor, and those of libdispatch as well. */
export const queueCases: readonly QueueCases[] = [queueOrder, queueTree, queueWaiting, queueFaults, queueSources]

/** What every executor must show: an executor's test file runs them all. */
export const executorCases: readonly Cases[] = [
  ...queueCases,
  queueSync,
  queueService,
  actorMessages,
  actorAsks,
  actorSupervision,
  actorRestarts,
  actorEnds,
  actorDeadlines,
  actorFaults,
  actorObservation,
]
