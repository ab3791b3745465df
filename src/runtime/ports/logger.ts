/** From the least urgent to the most. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One line of a log, before it is formatted. */
export interface LogRecord {
  readonly level: LogLevel
  /** The path of the actor that logs. */
  readonly path: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** The id of the message it was handling, 0 for none. */
  readonly cause: number
}

/** A receiver of log records, such as an adapter to pino. */
export type LogSink = (record: LogRecord) => void

/** `context.log`: each line has the path of its actor and the id of the current message. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({})

export function loggerFor(sink: LogSink, path: string, cause: number): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields = nothing): void =>
      sink({ level, path, message, fields, cause })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** The default: errors go to standard error, other records are dropped. */
export const errorsToConsole: LogSink = record => {
  if (record.level === 'error') console.error(`${record.path}: ${record.message}`, record.fields)
}
