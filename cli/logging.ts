import { destination, type Logger, pino } from 'pino'
import type { LogSink } from 'spimpl-runtime'
import type { LogLevel } from './options.ts'

/** How many bytes of log lines wait while they cannot be written; further lines are dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024

/**
 * Log lines go to standard error, one JSON object each: standard output is for results. A log that cannot be written
 * (full disk, closed terminal) does not stop the node.
 */
export function openLog(level: LogLevel): Logger {
  const target = destination({ fd: 2, sync: true, maxLength: MAX_UNWRITTEN_BYTES })
  target.on('error', () => {})
  return pino({ level, base: null }, target)
}

/** The log lines of actors, with the path of the actor and the id of the message it was handling. */
export const actorLog =
  (log: Logger): LogSink =>
  ({ level, path, message, fields, cause }) => {
    const { error, ...rest } = fields
    log[level]({ actor: path, cause, ...rest, ...(error === undefined ? {} : { err: error }) }, message)
  }
