/** The part of a structured logger that rooms may use; pino's loggers have this shape. */

export type Facts = Record<string, unknown>

export interface Logger {
  debug(facts: Facts, message: string): void
  info(facts: Facts, message: string): void
  warn(facts: Facts, message: string): void
  error(facts: Facts, message: string): void
}

const nothing = (): void => {}

/** Says nothing: the default of every part that may run without a log. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
