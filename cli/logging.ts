import { destination, type Logger, pino } from 'pino'
import type { LogSink } from 'spimpl-runtime'
import type { LogLevel } from './options.ts'

/** Lines that wait while they cannot be written; what comes on top is dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024

/**
 * Log lines go to standard error, one JSON object each, so that standard output stays for results. A log that cannot be written (its disk
 * is full, its terminal is gone) ends no node.
 */
export function openLog(level: LogLevel): Logger {
  const target = destination({ fd: 2, sync: true, maxLength: MAX_UNWRITTEN_BYTES })
  target.on('error', () => {})
  return pino({ level, base: null }, target)
}

/** What actors say, with their path and the message they were handling. */
export const actorLog =
  (log: Logger): LogSink =>
  ({ level, path, message, fields, cause }) => {
    const { error, ...rest } = fields
    log[level]({ actor: path, cause, ...rest, ...(error === undefined ? {} : { err: error }) }, message)
  }
