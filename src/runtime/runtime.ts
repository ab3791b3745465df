/** The door of the actor runtime: what `spimpl/runtime` exports. */
export {
  type Behavior,
  type BehaviorOptions,
  behavior,
  type Handlers,
  type Message,
  type SpawnOptions,
  type Tagged,
} from './actor.ts'
export type { ActorContext } from './actor-context.ts'
export type { StopReason, Terminated } from './actor-lifecycle.ts'
export type { AskOptions, Delivery, Ref, ReplyTo } from './actor-ref.ts'
export { type Clock, systemClock } from './clock.ts'
export { type ComputeOptions, ComputePool, type ComputePoolOptions, type ComputeTask, moved } from './compute-pool.ts'
export type { Core } from './core.ts'
export type { DeadLetter, DeadLetterReason, DeadLetters } from './dead-letters.ts'
export { type ActorEvent, diagnostics } from './diagnostics.ts'
export { DispatchGroup } from './dispatch-group.ts'
export { DispatchQueue, type DispatchQueueOptions, QueueKey } from './dispatch-queue.ts'
export { DispatchSource, type TimerSchedule } from './dispatch-source.ts'
export { EventLoopExecutor } from './executors/event-loop.ts'
export type { Drainer, Executor } from './executors/executor.ts'
export { SimulationExecutor } from './executors/simulation.ts'
export { Histogram, type HistogramSummary } from './histogram.ts'
export { formatTree, type Inspection } from './inspection.ts'
export type { KeyedTimers } from './keyed-timers.ts'
export { Lane, type LaneBehavior, type LaneOptions } from './lanes/lane.ts'
export type { Logger, LogLevel, LogRecord, LogSink } from './logger.ts'
export { fromMachine, type MachineOptions } from './machine-behavior.ts'
export type { MailboxOptions, OverflowPolicy } from './mailbox.ts'
export type { QualityOfService } from './quality-of-service.ts'
export { type Randomness, seededRandomness, systemRandomness } from './randomness.ts'
export { Recorder, type RecorderOptions, type RecordKind, type TraceRecord } from './recorder.ts'
export { type DrainBudget, RootQueue, type Target } from './root-queue.ts'
export { type RouterOptions, router } from './router.ts'
export type { PhaseOptions, PhaseReport, ShutdownReport } from './shutdown.ts'
export { supervisedChild } from './supervised-child.ts'
export type { RestartKind, Supervision, SupervisionStrategy } from './supervision.ts'
export { System, type SystemOptions } from './system.ts'
export { type Probe, TestSystem, type TestSystemOptions } from './test-system.ts'
export type { Work, WorkOptions } from './work-item.ts'
