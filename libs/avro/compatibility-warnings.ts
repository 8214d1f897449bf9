/**
 * Warnings about a reader and a writer that Avro finds compatible, or not: where data change their meaning on the way although no rule
 * forbids it. Nothing is thrown; the work and the number of warnings are bounded.
 */
import type { Steps } from './comparison.ts'
import type { CompatibilityOptions } from './compatibility.ts'
import { logicalTypeText } from './logical-types.ts'
import { branchFor, promotes, Sources, sameName } from './matching.ts'
import type { NamedSchema, RecordSchema, Schema, UnionSchema } from './schema.ts'
import { at, type Spot, schemaWarnings, type Warning, Warnings, warningsMax } from './schema-warnings.ts'
import { outlineOf } from './type-identity.ts'

/** Some ten milliseconds. */
export const warningSteps = (): Steps => ({ left: 100_000 })
const depthMax = 500

/** Everything doubtful between `reader` and `writer`, then everything doubtful in `reader` alone. */
export function compatibilityWarnings(reader: Schema, writer: Schema, options: CompatibilityOptions = {}): Warning[] {
  const root = options.root ?? 'value'
  return [...pairWarnings(reader, writer, options), ...schemaWarnings(reader, { root })].slice(0, warningsMax)
}

/** Only what is doubtful between the two. The work counts on `steps`, and ends with them. */
export function pairWarnings(
  reader: Schema,
  writer: Schema,
  options: CompatibilityOptions = {},
  steps: Steps = warningSteps()
): Warning[] {
  const warnings = new Warnings(options.changing ?? 'reader')
  new Walk(warnings, steps).pair(reader, writer, { trail: null, place: options.root ?? 'value' })
  return warnings.list
}

class Walk {
  readonly #warnings: Warnings
  readonly #seen = new Map<RecordSchema, Set<RecordSchema>>()
  readonly #steps: Steps
  #depth = 0

  constructor(warnings: Warnings, steps: Steps) {
    this.#warnings = warnings
    this.#steps = steps
  }

  pair(reader: Schema, writer: Schema, spot: Spot): void {
    if (reader === writer || --this.#steps.left < 0 || this.#depth >= depthMax) return
    this.#depth++
    if (writer.kind === 'union') this.#fromUnion(reader, writer, spot)
    else if (reader.kind === 'union') this.#intoUnion(reader, writer, spot)
    else this.#types(reader, writer, spot)
    this.#depth--
  }

  #fromUnion(reader: Schema, writer: UnionSchema, spot: Spot): void {
    for (const branch of writer.branches) this.pair(reader, branch, spot)
  }

  #intoUnion(reader: UnionSchema, writer: Schema, spot: Spot): void {
    this.#steps.left -= reader.branches.length >> 4
    const branch = branchFor(writer, reader)
    if (branch !== undefined) this.pair(branch, writer, at(spot, [reader.branches.indexOf(branch)], ''))
  }

  /** Types that cannot meet are no matter for a warning: they are incompatible. */
  #types(reader: Exclude<Schema, UnionSchema>, writer: Exclude<Schema, UnionSchema>, spot: Spot): void {
    if (reader.kind !== writer.kind && !promotes(reader.kind, writer.kind)) return
    if ('name' in reader && 'name' in writer) {
      if (!sameName(reader, writer)) return
      if (reader.kind === 'record' && writer.kind === 'record' && !this.#isNew(reader, writer)) return
      if (movedAway(reader, writer)) this.#warnings.add('NAMESPACE_CHANGED', spot, { reader, writer })
    }
    if (logicalTypeText(reader) !== logicalTypeText(writer)) {
      const decimals = reader.logicalType?.name === 'decimal' && writer.logicalType?.name === 'decimal'
      this.#warnings.add(decimals ? 'DECIMAL_CHANGED' : 'LOGICAL_TYPE_CHANGED', spot, { reader, writer })
    }
    if (reader.kind === 'record' && writer.kind === 'record') this.#fields(reader, writer, spot)
    else if (reader.kind === 'array' && writer.kind === 'array') this.pair(reader.items, writer.items, at(spot, ['items'], '[]'))
    else if (reader.kind === 'map' && writer.kind === 'map') this.pair(reader.values, writer.values, at(spot, ['values'], '{}'))
  }

  #fields(reader: RecordSchema, writer: RecordSchema, spot: Spot): void {
    const { fieldIds } = outlineOf(reader)
    const { fieldIds: writerIds } = outlineOf(writer)
    const sources = new Sources(writer)
    this.#steps.left -= fieldIds.length >> 6
    for (let index = 0; index < fieldIds.length && sources.met < writerIds.length; index++) {
      const id = fieldIds[index]!
      if (id !== 0 && id === writerIds[sources.next]) {
        sources.take()
        continue
      }
      const field = reader.fields[index]!
      const source = sources.of(field)
      if (source === undefined || source === 'ambiguous') continue
      this.pair(field.type, source.type, at(spot, ['fields', index, 'type'], `.${field.name}`))
    }
  }

  /** Whether two records meet for the first time, and are not built alike. */
  #isNew(reader: RecordSchema, writer: RecordSchema): boolean {
    const { typeId } = outlineOf(reader)
    if (typeId !== 0 && typeId === outlineOf(writer).typeId) return false
    const writers = this.#seen.get(reader) ?? new Set()
    this.#seen.set(reader, writers)
    if (writers.has(writer)) return false
    writers.add(writer)
    return true
  }
}

/** An alias says that the move is meant, to those who compare full names as well. */
const movedAway = (reader: NamedSchema, writer: NamedSchema): boolean =>
  reader.name !== writer.name && !reader.aliases.includes(writer.name)
