/**
 * Can data written with one schema be read with another? Verdict, order, paths and messages are those of SchemaCompatibility
 * in Apache Avro Java 1.12.1; each finding also says where in the data it is, in words what is wrong, and how to mend it.
 * Every pair of types is compared once, the work and the number of findings are bounded.
 */
import { AssayError } from '@assay/errors'
import { canonicalText, fragmentText } from './canonical.ts'
import {
  type ChangingSide,
  type Clash,
  compatibilityRules,
  type IncompatibilityType,
  type NestedClash
} from './compatibility-rules.ts'
import type { Trail } from './problem.ts'
import { pathOf } from './problem.ts'
import type { EnumSchema, Field, FixedSchema, NamedSchema, RecordSchema, Schema, UnionSchema } from './schema.ts'
import { namespaceOf, shortName } from './schema.ts'

export interface Incompatibility {
  readonly type: IncompatibilityType
  /** Java's JSON pointer, `/fields/1/type`. As in Java, it begins anew inside the branch of a union that was compared before. */
  readonly path: string
  /** Where in the reader's data: `value.items[].price`; `{}` stands for the values of a map. */
  readonly place: string
  /** Java's message. */
  readonly message: string
  /** What is wrong, as a part of a sentence. */
  readonly reason: string
  /** Canonical text of the reader's type here, shortened. */
  readonly reader: string
  readonly writer: string
  /** How to mend it. */
  readonly mend: string
}

export interface CompatibilityOptions {
  /** Which schema the mends may change. Default: the reader. */
  readonly changing?: ChangingSide
  /** How places begin. Default `value`. */
  readonly root?: string
}

/** More are not listed: the verdict stands anyway. */
export const incompatibilitiesMax = 1_000
const stepsMax = 2_000_000
const depthMax = 1_000
const fragmentMax = 240

/**
 * Everything that keeps `reader` from reading data of `writer`; empty when it can.
 * Throws INVALID_SCHEMA when the two cannot be compared within bounds.
 */
export function compatibility(reader: Schema, writer: Schema, options: CompatibilityOptions = {}): Incompatibility[] {
  const changing = options.changing ?? 'reader'
  const root = options.root ?? 'value'
  const fragments = new Map<Schema, string>()
  const fragment = (schema: Schema): string => {
    const text = fragments.get(schema) ?? shorten(fragmentText(schema))
    fragments.set(schema, text)
    return text
  }
  return findClashes(reader, writer).map(({ type, path, place, message, clash }) => ({
    type,
    path,
    place: root + place,
    message,
    reason: compatibilityRules[type].reason(clash),
    reader: fragment(clash.reader),
    writer: fragment(clash.writer),
    mend: compatibilityRules[type].mend(clash, changing)
  }))
}

const shorten = (text: string): string => (text.length > fragmentMax ? `${text.slice(0, fragmentMax - 3)}...` : text)

interface Found {
  readonly type: IncompatibilityType
  readonly path: string
  /** From the pair in hand; each level puts its own step in front. */
  readonly place: string
  readonly message: string
  readonly clash: Clash
}

function findClashes(reader: Schema, writer: Schema): readonly Found[] {
  try {
    return new Comparison().compare(reader, writer, null)
  } catch (error) {
    if (error instanceof AmbiguousField) return [{ ...error.found, place: placeAt(reader, error.trail) }]
    throw error
  }
}

/** Java throws here and compares no further; Confluent reports that as the only finding. */
class AmbiguousField extends Error {
  readonly found: Found
  readonly trail: Trail
  constructor(found: Found, trail: Trail) {
    super(found.message)
    this.name = 'AmbiguousField'
    this.found = found
    this.trail = trail
  }
}

/** The place that a path of Java leads to; only its begin where the path enters a union. */
function placeAt(reader: Schema, trail: Trail): string {
  let place = ''
  let at: Schema = reader
  for (const step of pathOf(trail)) {
    if (step === 'items' && at.kind === 'array') {
      place += '[]'
      at = at.items
    } else if (step === 'values' && at.kind === 'map') {
      place += '{}'
      at = at.values
    } else if (typeof step === 'number' && at.kind === 'record') {
      const field: Field | undefined = at.fields[step]
      if (field === undefined) break
      place += `.${field.name}`
      at = field.type
    }
  }
  return place
}

const none: readonly Found[] = []

class Comparison {
  /** 'open' while a pair is being compared: a recursive type is compatible until proven otherwise. */
  readonly #results = new Map<Schema, Map<Schema, readonly Found[] | 'open'>>()
  readonly #fields = new Map<RecordSchema, ReadonlyMap<string, Field>>()
  #steps = 0
  #depth = 0

  compare(reader: Schema, writer: Schema, trail: Trail | null): readonly Found[] {
    const results = this.#results.get(reader) ?? new Map<Schema, readonly Found[] | 'open'>()
    this.#results.set(reader, results)
    const known = results.get(writer)
    if (known !== undefined) return known === 'open' ? none : known
    this.#spend(1)
    if (++this.#depth > depthMax) tooMuch(`more than ${depthMax} types nested in each other`)
    results.set(writer, 'open')
    const found = this.#decide(reader, writer, trail)
    results.set(writer, found)
    this.#depth--
    return found
  }

  #decide(reader: Schema, writer: Schema, trail: Trail | null): readonly Found[] {
    if (reader.kind === 'union' && writer.kind === 'union') return this.#unions(reader, writer, trail)
    if (writer.kind === 'union') {
      const found = new Findings(this)
      for (const [index, branch] of writer.branches.entries())
        found.merge(this.compare(reader, branch, { up: trail, step: index }), '')
      return found.list
    }
    if (reader.kind === 'union') return this.#branch(reader, writer, trail)
    if (reader.kind === 'record' && writer.kind === 'record') return this.#records(reader, writer, trail)
    if (reader.kind === 'enum' && writer.kind === 'enum')
      return [...nameClash(reader, writer, trail), ...this.#symbols(reader, writer, trail)]
    if (reader.kind === 'fixed' && writer.kind === 'fixed')
      return [...nameClash(reader, writer, trail), ...sizeClash(reader, writer, trail)]
    const found = new Findings(this)
    if (reader.kind === 'array' && writer.kind === 'array') {
      found.merge(this.compare(reader.items, writer.items, { up: trail, step: 'items' }), '[]')
    } else if (reader.kind === 'map' && writer.kind === 'map') {
      found.merge(this.compare(reader.values, writer.values, { up: trail, step: 'values' }), '{}')
    } else if (reader.kind !== writer.kind && !readable[reader.kind]?.includes(writer.kind)) {
      const message = `reader type: ${javaType(reader)} not compatible with writer type: ${javaType(writer)}`
      return [clashAt('TYPE_MISMATCH', trail, message, { reader, writer })]
    }
    return found.list
  }

  /** Java compares the branches with a path of their own and keeps only that one of them failed. */
  #unions(reader: UnionSchema, writer: UnionSchema, trail: Trail | null): readonly Found[] {
    const found = new Findings(this)
    for (const [index, branch] of writer.branches.entries()) {
      const inner = this.compare(reader, branch, null)
      if (inner.length === 0) continue
      const clash = { reader, writer: branch, ...nestedOf(inner) }
      found.merge([clashAt('MISSING_UNION_BRANCH', { up: trail, step: index }, lacking(branch), clash)], '')
    }
    return found.list
  }

  #branch(reader: UnionSchema, writer: Schema, trail: Trail | null): readonly Found[] {
    let nested: NestedClash | undefined
    for (const branch of reader.branches) {
      const inner = this.compare(branch, writer, null)
      if (inner.length === 0) return none
      if (nested === undefined && branch.kind === writer.kind && sameShortName(branch, writer)) nested = inner[0]!
    }
    const clash = nested === undefined ? { reader, writer } : { reader, writer, nested }
    return [clashAt('MISSING_UNION_BRANCH', trail, lacking(writer), clash)]
  }

  #records(reader: RecordSchema, writer: RecordSchema, trail: Trail | null): readonly Found[] {
    const found = new Findings(this)
    found.merge(nameClash(reader, writer, trail), '')
    for (const [index, field] of reader.fields.entries()) {
      this.#spend(1 + field.aliases.length)
      const place = { up: { up: trail, step: 'fields' }, step: index }
      const source = this.#sourceOf(field, index, reader, writer, place)
      if (source !== undefined) found.merge(this.compare(field.type, source.type, { up: place, step: 'type' }), `.${field.name}`)
      else if (field.default === undefined) found.merge(this.#missing(field, reader, writer, place), `.${field.name}`)
    }
    return found.list
  }

  #missing(field: Field, owner: RecordSchema, writer: RecordSchema, place: Trail): readonly Found[] {
    if (field.type.kind !== 'enum' || field.type.default === undefined) {
      return [clashAt('READER_FIELD_MISSING_DEFAULT_VALUE', place, field.name, { reader: owner, writer, field, owner })]
    }
    // Java compares an enum that has a default symbol with the writer's record here, which never fits.
    const inner = this.compare(field.type, writer, { up: place, step: 'type' })
    return inner.map(found => ({ ...found, clash: { ...found.clash, field, owner } }))
  }

  /** The writer's field that feeds a reader's field, by name or alias. */
  #sourceOf(field: Field, index: number, reader: RecordSchema, writer: RecordSchema, place: Trail): Field | undefined {
    const byName = this.#fields.get(writer) ?? new Map(writer.fields.map(own => [own.name, own]))
    this.#fields.set(writer, byName)
    const sources = [field.name, ...field.aliases].flatMap(name => byName.get(name) ?? [])
    if (sources.length <= 1) return sources[0]
    const printed = `${field.name} type:${javaType(field.type)} pos:${index}`
    const message = `Reader record field ${printed} matches multiple fields in writer record schema ${canonicalText(writer)}`
    throw new AmbiguousField(clashAt('AMBIGUOUS_ALIAS', place, message, { reader, writer, field }), place)
  }

  #symbols(reader: EnumSchema, writer: EnumSchema, trail: Trail | null): readonly Found[] {
    this.#spend(1 + ((reader.symbols.length + writer.symbols.length) >> 3))
    if (reader.default !== undefined) return none
    const known = new Set(reader.symbols)
    const symbols = writer.symbols.filter(symbol => !known.has(symbol)).sort()
    if (symbols.length === 0) return none
    const place = { up: trail, step: 'symbols' }
    return [clashAt('MISSING_ENUM_SYMBOLS', place, `[${symbols.join(', ')}]`, { reader, writer, symbols })]
  }

  #spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > stepsMax) tooMuch(`more than ${stepsMax} steps`)
  }

  /** Public to Findings: a shared list that is merged many times costs, too. */
  spend(steps: number): void {
    this.#spend(steps)
  }
}

/** Collects the findings of one pair, up to the bound. */
class Findings {
  list: Found[] = []
  readonly #comparison: Comparison
  constructor(comparison: Comparison) {
    this.#comparison = comparison
  }

  merge(found: readonly Found[], step: string): void {
    this.#comparison.spend(found.length)
    for (const one of found) {
      if (this.list.length >= incompatibilitiesMax) return
      this.list.push(step === '' ? one : { ...one, place: step + one.place })
    }
  }
}

/** Reader kind to the other writer kinds that Avro promotes to it. */
const readable: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes']
}

const javaType = (schema: Schema): string => schema.kind.toUpperCase()
const lacking = (writer: Schema): string => `reader union lacking writer type: ${javaType(writer)}`

function clashAt(type: IncompatibilityType, trail: Trail | null, message: string, clash: Clash): Found {
  return { type, path: `/${pathOf(trail).join('/')}`, place: '', message, clash }
}

function nameClash(reader: NamedSchema, writer: NamedSchema, trail: Trail | null): readonly Found[] {
  if (sameName(reader, writer)) return none
  return [clashAt('NAME_MISMATCH', { up: trail, step: 'name' }, `expected: ${writer.name}`, { reader, writer })]
}

/** Only short names count. An alias without namespace, in a type with one, matches nothing in Java. */
export function sameName(reader: NamedSchema, writer: NamedSchema): boolean {
  if (shortName(reader.name) === shortName(writer.name)) return true
  return reader.aliases.includes(writer.name) && (namespaceOf(writer.name) !== '' || namespaceOf(reader.name) === '')
}

function sizeClash(reader: FixedSchema, writer: FixedSchema, trail: Trail | null): readonly Found[] {
  if (reader.size === writer.size) return none
  const message = `expected: ${writer.size}, found: ${reader.size}`
  return [clashAt('FIXED_SIZE_MISMATCH', { up: trail, step: 'size' }, message, { reader, writer })]
}

function sameShortName(a: Schema, b: Schema): boolean {
  return !('name' in a) || !('name' in b) || shortName(a.name) === shortName(b.name)
}

function nestedOf(inner: readonly Found[]): { nested?: NestedClash } {
  const nested = inner[0]!.clash.nested
  return nested === undefined ? {} : { nested }
}

function tooMuch(what: string): never {
  throw new AssayError('INVALID_SCHEMA', {
    reason: `comparing it with another schema takes ${what}; make it smaller or less entangled`
  })
}
