/** From the least urgent to the most. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One line of a log, before anybody formats it. */
export interface LogRecord {
  readonly level: LogLevel
  /** Path of the actor that speaks. */
  readonly path: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Id of the message it was handling, 0 for none. */
  readonly cause: number
}

/** Where log records go; pino or anything else stands behind it. */
export type LogSink = (record: LogRecord) => void

/** `context.log`: each line knows its actor and the message that it was written for. */
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

/** The default: what went wrong goes to standard error, the rest nowhere. */
export const errorsToConsole: LogSink = record => {
  if (record.level === 'error') console.error(`${record.path}: ${record.message}`, record.fields)
}
