import { destination, type Logger, pino } from 'pino'
import type { LogSink } from '../src/runtime/runtime.ts'
import type { LogLevel } from './options.ts'

/** Log lines go to standard error, one JSON object each, so that standard output stays for results. */
export function openLog(level: LogLevel): Logger {
  return pino({ level, base: null }, destination({ fd: 2, sync: true }))
}

/** What actors say, with their path and the message they were handling. */
export const actorLog =
  (log: Logger): LogSink =>
  ({ level, path, message, fields, cause }) => {
    const { error, ...rest } = fields
    log[level]({ actor: path, cause, ...rest, ...(error === undefined ? {} : { err: error }) }, message)
  }
