/**
 * A canonical text with its attributes in one order: what Java's `Schema.equals` compares, which looks neither at the order of attributes
 * nor at that of aliases. Confluent's registry takes two such texts for one version of a subject (`AvroSchema.equivalent`).
 */

type Value = null | boolean | string | Raw | readonly Value[] | { readonly [key: string]: Value }
/** A number as it is written: 1 and 1.0 are not the same default. */
interface Raw {
  readonly rawJSON: string
}

/** `text` is a canonical text: JSON, without repeated attributes. Its depth is bounded by the parser that it went through. */
export function unorderedText(text: string): string {
  const json: Value = parse(text, (_key, value, { source }) => (typeof value === 'number' ? rawJSON(source!) : value))
  return JSON.stringify(ordered(json, true))
}

/** Attributes that hold schemas, or fields, which are ordered as schemas are. */
const holders: ReadonlySet<string> = new Set(['type', 'items', 'values', 'fields'])

/** Inside defaults and other properties the order of a list counts, whatever the list is called. */
function ordered(value: Value, isSchema: boolean): Value {
  if (typeof value !== 'object' || value === null || isRawJSON(value)) return value
  if (Array.isArray(value)) return value.map(item => ordered(item, isSchema))
  const sorted: Record<string, Value> = Object.create(null)
  for (const [key, held] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isAliases = isSchema && key === 'aliases' && Array.isArray(held)
    sorted[key] = isAliases ? [...new Set(held as string[])].sort() : ordered(held, isSchema && holders.has(key))
  }
  return sorted
}

// These are in ECMAScript 2026 and in Node, though not yet in the library that TypeScript knows.
const { parse, rawJSON, isRawJSON } = JSON as unknown as {
  parse(
    text: string,
    revive: (key: string, value: Value | number, context: { readonly source?: string }) => Value | number
  ): Value
  rawJSON(text: string): Raw
  isRawJSON(value: unknown): value is Raw
}
