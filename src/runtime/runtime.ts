/**
 * The main door of the actor runtime. Its rooms:
 *
 *     system       the tree of actors of a thread and its lanes; shutdown in phases
 *     actors       behaviours, cells, mailboxes, timers; knows nothing of lanes
 *     references   addresses of actors and answers, asking
 *     supervising  lifecycles, restarts, links, death watch
 *     queues       serial and concurrent queues, groups, sources, the timer wheel
 *     composing    programs as values: rows of actors under supervisors, started, pictured, placed on lanes
 *     lanes        actors on other threads, and the messages between them
 *     computing    the queue and the threads of the compute pool (door compute-pool.ts)
 *     executors    what drains the queues: event loop, libdispatch, simulation
 *     watching     inspection, recording, dead letters, histograms
 *     cores        what protocol cores are made of
 *     ports        clock, randomness, log
 *     testing      the test kit
 */
export {
  type ActorContext,
  type ActorSystem,
  type Behavior,
  type BehaviorOptions,
  behavior,
  type SpawnOptions,
} from './actors/actor.ts'
export type { KeyedTimers } from './actors/keyed-timers.ts'
export type { MailboxOptions, OverflowPolicy } from './actors/mailbox.ts'
export type { Handlers, Message, Tagged } from './actors/message.ts'
export { type RouterOptions, router } from './actors/router.ts'
export { type Composition, composition } from './composing/composition.ts'
export type { RowDescription } from './composing/diagram.ts'
export { type Cloneable, fromModule, type ModuleBehavior, type ModuleMade } from './composing/module-behavior.ts'
export type { RunningComposition, StartOptions } from './composing/running.ts'
export type {
  EmptyShape,
  Refs,
  Row,
  RowOf,
  RowShape,
  RowsUnder,
  Shape,
  Started,
  StartLimits,
  SupervisorOptions,
  WithoutRow,
  WithRow,
  WithSupervisor,
} from './composing/shape.ts'
export type { Core } from './cores/core.ts'
export {
  type ErrorCode,
  type ErrorCodes,
  ok,
  type Result,
  type RuntimeErrorCode,
  refused,
  SpimplError,
  unwrap,
} from './errors.ts'
export { EventLoopExecutor } from './executors/event-loop.ts'
export type { Drainer, Executor } from './executors/executor.ts'
export { Lane, type LaneBehavior, type LaneOptions } from './lanes/lane.ts'
export { lend } from './lanes/lent.ts'
export { type Clock, systemClock } from './ports/clock.ts'
export type { Logger, LogLevel, LogRecord, LogSink } from './ports/logger.ts'
export { type Randomness, seededRandomness, systemRandomness } from './ports/randomness.ts'
export { DispatchGroup } from './queues/dispatch-group.ts'
export { DispatchQueue, type DispatchQueueOptions } from './queues/dispatch-queue.ts'
export { DispatchSource, type TimerSchedule } from './queues/dispatch-source.ts'
export type { QualityOfService } from './queues/quality-of-service.ts'
export { QueueKey } from './queues/queue-key.ts'
export { type DrainBudget, RootQueue, type Target } from './queues/root-queue.ts'
export type { Work, WorkQueue } from './queues/work.ts'
export type { WorkOptions } from './queues/work-item.ts'
export type { Answer, AskOptions, Asks, Delivery, Question, Ref, ReplyTo } from './references/actor-ref.ts'
export type { RestartKind, Supervision, SupervisionStrategy } from './supervising/supervision.ts'
export type { StopReason, Terminated, WatchMessage } from './supervising/termination.ts'
export type { PhaseOptions, PhaseReport, ShutdownReport } from './system/shutdown-report.ts'
export { System, type SystemOptions } from './system/system.ts'
export type { DeadLetter, DeadLetterReason, DeadLetters } from './watching/dead-letters.ts'
export { type ActorEvent, diagnostics } from './watching/diagnostics.ts'
export { Histogram, type HistogramSummary } from './watching/histogram.ts'
export { formatTree, type Inspection } from './watching/inspection.ts'
export { Recorder, type RecorderOptions, type RecordKind, type TraceRecord } from './watching/recorder.ts'
