/** What is wrong with a schema and at which value of its text; parseSchema turns it into an INVALID_SCHEMA with line and column. */
import type { JsonPath } from './json.ts'

/** A value's place while walking down: cheap to extend, printed only when something is wrong. */
export interface Trail {
  readonly up: Trail | null
  readonly step: string | number
}

export function pathOf(trail: Trail | null): JsonPath {
  const path: (string | number)[] = []
  for (let at = trail; at !== null; at = at.up) path.push(at.step)
  return path.reverse()
}

export class SchemaProblem extends Error {
  readonly path: JsonPath
  readonly reason: string

  constructor(path: JsonPath, reason: string) {
    super(reason)
    this.name = 'SchemaProblem'
    this.path = path
    this.reason = reason
  }
}
