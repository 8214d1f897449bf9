/** The one class of expected failures. Whoever needs to tell them apart compares `code`, never the text. */
import { type ErrorRow, table } from './table.ts'

export type ErrorName = keyof typeof table

type Holes<S extends string> = S extends `${string}{${infer K}}${infer R}` ? K | Holes<R> : never

/** The facts that the row's text names in braces. */
export type FactsOf<N extends ErrorName> = Record<Holes<(typeof table)[N]['says']>, string | number | bigint>

export class AssayError<N extends ErrorName = ErrorName> extends Error {
  override readonly name = 'AssayError'
  readonly code: N
  readonly facts: FactsOf<N>

  constructor(code: N, facts: FactsOf<N>, options?: ErrorOptions) {
    super(fill(table[code].says, facts), options)
    this.code = code
    this.facts = facts
  }

  get row(): ErrorRow {
    return table[this.code]
  }
}

/** True for an AssayError, and for one of the given names only when any are given. */
export function isAssayError<N extends ErrorName>(error: unknown, ...names: N[]): error is AssayError<N> {
  return error instanceof AssayError && (names.length === 0 || names.includes(error.code as N))
}

function fill(text: string, facts: Record<string, string | number | bigint>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => (Object.hasOwn(facts, name) ? String(facts[name]) : hole))
}
