/**
 * The comparison of a reader and a writer as SchemaCompatibility in Apache Avro Java 1.12.1 does it: every pair of types once, in its order,
 * with its paths, so that what is found is what Java finds. The work and the number of findings are bounded.
 */
import { AssayError } from '@assay/errors'
import { canonicalText } from './canonical.ts'
import type { Clash, IncompatibilityType, NestedClash } from './compatibility-rules.ts'
import { promotes, sameName } from './matching.ts'
import { pathOf, type Trail } from './problem.ts'
import type { EnumSchema, Field, FixedSchema, NamedSchema, RecordSchema, Schema, UnionSchema } from './schema.ts'
import { shortName } from './schema.ts'
import type { Building } from './schema-reader.ts'

/** More are not listed: the verdict stands anyway. */
export const incompatibilitiesMax = 1_000
const depthMax = 1_000

/** Counts down the work of comparisons. */
export interface Steps {
  left: number
}

/** For one reader and one writer: less than a tenth of a second. */
export const comparisonSteps = (): Steps => ({ left: 400_000 })

export interface Found {
  readonly type: IncompatibilityType
  /** Printed only when the finding is told: most are made for branches of a union that are tried in vain. */
  readonly trail: Trail | null
  /** From the pair in hand; each level puts its own step in front. */
  readonly place: string
  /** JSON pointers to the types, or the reader's field, that clash: from the pair in hand, too. They go on into the branches of unions. */
  readonly readerPath: string
  readonly writerPath: string
  readonly message: string
  readonly clash: Clash
}

/** The complete comparison. Throws INVALID_SCHEMA when the steps run out, or the depth. */
export function findClashes(reader: Schema, writer: Schema, steps: Steps = comparisonSteps()): readonly Found[] {
  try {
    return new Comparison(steps).compare(reader, writer, null)
  } catch (error) {
    if (error instanceof AmbiguousField)
      return [
        { ...error.found, place: placeAt(reader, error.found.trail), readerPath: `/${pathOf(error.found.trail).join('/')}` }
      ]
    throw error
  }
}

/** Java throws here and compares no further; Confluent reports that as the only finding. */
class AmbiguousField extends Error {
  readonly found: Found
  constructor(found: Found) {
    super(found.message)
    this.name = 'AmbiguousField'
    this.found = found
  }
}

/** The place that a path of Java leads to; only its begin where the path enters a union. */
function placeAt(reader: Schema, trail: Trail | null): string {
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
  /**
   * 'open' while a pair is being compared: a recursive type is compatible until proven otherwise.
   * 'apart' for records that cannot be compatible, whose differences nobody has asked for.
   */
  readonly #results = new Map<Schema, Map<Schema, readonly Found[] | 'open' | 'apart'>>()
  readonly #plain = new Map<RecordSchema, boolean>()
  readonly #fields = new Map<RecordSchema, ReadonlyMap<string, Field>>()
  readonly #steps: Steps
  #depth = 0

  constructor(steps: Steps) {
    this.#steps = steps
  }

  compare(reader: Schema, writer: Schema, trail: Trail | null): readonly Found[] {
    // Two primitives meet but once, wherever they stand: nothing to remember.
    if (isPrimitive(reader) && isPrimitive(writer)) return kindClash(reader, writer, trail)
    this.#spend(1)
    const results = this.#resultsOf(reader)
    const known = results.get(writer)
    if (known !== undefined && known !== 'apart') return known === 'open' ? none : known
    // To remember a pair is the dearest part.
    this.#spend(4)
    if (++this.#depth > depthMax) tooMuch(`more than ${depthMax} types nested in each other`)
    results.set(writer, 'open')
    // Java compared them in a union, where paths begin anew.
    const found = this.#decide(reader, writer, known === 'apart' ? null : trail)
    results.set(writer, found)
    this.#depth--
    return found
  }

  #resultsOf(reader: Schema): Map<Schema, readonly Found[] | 'open' | 'apart'> {
    const results = this.#results.get(reader) ?? new Map<Schema, readonly Found[] | 'open' | 'apart'>()
    this.#results.set(reader, results)
    return results
  }

  /**
   * Whether a branch of a union cannot read the writer's record, because of its name, and all its other differences can wait:
   * no named type stands in either, so no pair that is met elsewhere is met here first, and no alias can be ambiguous.
   */
  #areApart(reader: Schema, writer: Schema): boolean {
    if (reader.kind !== 'record' || writer.kind !== 'record' || sameName(reader, writer)) return false
    const results = this.#resultsOf(reader)
    const known = results.get(writer)
    if (known === undefined && this.#isPlain(reader) && this.#isPlain(writer)) results.set(writer, 'apart')
    return results.get(writer) === 'apart'
  }

  #isPlain(record: RecordSchema): boolean {
    const isPlain =
      this.#plain.get(record) ?? record.fields.every(({ aliases, type }) => aliases.length === 0 && !holdsNamed(type))
    this.#plain.set(record, isPlain)
    return isPlain
  }

  #decide(reader: Schema, writer: Schema, trail: Trail | null): readonly Found[] {
    if (reader.kind === 'union' && writer.kind === 'union') return this.#unions(reader, writer, trail)
    if (writer.kind === 'union') {
      const found = new Findings(this)
      for (const [index, branch] of writer.branches.entries())
        found.merge(this.compare(reader, branch, { up: trail, step: index }), { writer: `/${index}` })
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
      found.merge(this.compare(reader.items, writer.items, { up: trail, step: 'items' }), stepOf('[]', '/items'))
    } else if (reader.kind === 'map' && writer.kind === 'map') {
      found.merge(this.compare(reader.values, writer.values, { up: trail, step: 'values' }), stepOf('{}', '/values'))
    } else return kindClash(reader, writer, trail)
    return found.list
  }

  /** Java compares the branches with a path of their own and keeps only that one of them failed. */
  #unions(reader: UnionSchema, writer: UnionSchema, trail: Trail | null): readonly Found[] {
    const found = new Findings(this)
    for (const [index, branch] of writer.branches.entries()) {
      const inner = this.compare(reader, branch, null)
      if (inner.length === 0) continue
      const clash = { reader, writer: branch, ...nestedOf(inner) }
      found.merge([clashAt('MISSING_UNION_BRANCH', { up: trail, step: index }, lacking(branch), clash)], { writer: `/${index}` })
    }
    return found.list
  }

  #branch(reader: UnionSchema, writer: Schema, trail: Trail | null): readonly Found[] {
    let nested: NestedClash | undefined
    for (const branch of reader.branches) {
      this.#spend(1)
      if (this.#areApart(branch, writer)) continue
      const inner = this.compare(branch, writer, null)
      if (inner.length === 0) return none
      if (nested === undefined && branch.kind === writer.kind && sameShortName(branch, writer)) nested = inner[0]!
    }
    const clash = nested === undefined ? { reader, writer } : { reader, writer, nested }
    return [clashAt('MISSING_UNION_BRANCH', trail, lacking(writer), clash)]
  }

  #records(reader: RecordSchema, writer: RecordSchema, trail: Trail | null): readonly Found[] {
    const found = new Findings(this)
    found.merge(nameClash(reader, writer, trail), {})
    const byName = this.#fields.get(writer) ?? new Map(writer.fields.map(own => [own.name, own]))
    this.#fields.set(writer, byName)
    const up = { up: trail, step: 'fields' }
    for (let index = 0; index < reader.fields.length; index++) {
      const field = reader.fields[index]!
      this.#spend(1 + field.aliases.length)
      const place = { up, step: index }
      const source = field.aliases.length === 0 ? byName.get(field.name) : sourceOf(field, byName, { reader, writer, place })
      if (source === undefined) {
        if (field.default !== undefined) continue
        found.add(this.#missing(field, reader, writer, place), { place: `.${field.name}`, reader: `/fields/${index}` })
      } else if (isPrimitive(field.type) && isPrimitive(source.type)) {
        if (fits(field.type, source.type)) continue
        const clash = kindClash(field.type, source.type, { up: place, step: 'type' })
        found.add(clash, fieldStep(field, index, writer.fields.indexOf(source)))
      } else {
        const inner = this.compare(field.type, source.type, { up: place, step: 'type' })
        if (inner.length > 0) found.merge(inner, fieldStep(field, index, writer.fields.indexOf(source)))
      }
    }
    return found.list
  }

  #missing(field: Field, owner: RecordSchema, writer: RecordSchema, place: Trail): Found[] {
    if (field.type.kind !== 'enum' || field.type.default === undefined) {
      return [clashAt('READER_FIELD_MISSING_DEFAULT_VALUE', place, field.name, { reader: owner, writer, field, owner })]
    }
    // Java compares an enum that has a default symbol with the writer's record here, which never fits.
    const inner = this.compare(field.type, writer, { up: place, step: 'type' })
    return inner.map(found => ({ ...found, readerPath: `/type${found.readerPath}`, clash: { ...found.clash, field, owner } }))
  }

  #symbols(reader: EnumSchema, writer: EnumSchema, trail: Trail | null): readonly Found[] {
    this.#spend(1 + ((reader.symbols.length + writer.symbols.length) >> 1))
    if (reader.default !== undefined) return none
    const known = new Set(reader.symbols)
    const symbols = writer.symbols.filter(symbol => !known.has(symbol)).sort()
    if (symbols.length === 0) return none
    const place = { up: trail, step: 'symbols' }
    return [clashAt('MISSING_ENUM_SYMBOLS', place, `[${symbols.join(', ')}]`, { reader, writer, symbols })]
  }

  #spend(steps: number): void {
    this.#steps.left -= steps
    if (this.#steps.left < 0) tooMuch('too many steps')
  }

  /** Public to Findings: a shared list that is merged many times costs, too. */
  spend(steps: number): void {
    this.#spend(steps)
  }
}

/** The writer's field that feeds a reader's field, by name or alias. */
function sourceOf(
  field: Field,
  byName: ReadonlyMap<string, Field>,
  { reader, writer, place }: { readonly reader: RecordSchema; readonly writer: RecordSchema; readonly place: Trail }
): Field | undefined {
  const sources = [field.name, ...field.aliases].flatMap(name => byName.get(name) ?? [])
  if (sources.length <= 1) return sources[0]
  const printed = `${field.name} type:${javaType(field.type)} pos:${place.step}`
  const message = `Reader record field ${printed} matches multiple fields in writer record schema ${canonicalText(writer)}`
  throw new AmbiguousField(clashAt('AMBIGUOUS_ALIAS', place, message, { reader, writer, field }))
}

/** The way from a pair to one inside it: in the data, and in the two schemas. */
interface Step {
  readonly place?: string
  readonly reader?: string
  readonly writer?: string
}

const fieldStep = ({ name }: Field, index: number, from: number): Step => ({
  place: `.${name}`,
  reader: `/fields/${index}/type`,
  writer: `/fields/${from}/type`
})

const stepOf = (place: string, pointer: string): Step => ({ place, reader: pointer, writer: pointer })

/** Collects the findings of one pair, up to the bound. */
class Findings {
  list: Found[] = []
  readonly #comparison: Comparison
  constructor(comparison: Comparison) {
    this.#comparison = comparison
  }

  merge(found: readonly Found[], { place = '', reader = '', writer = '' }: Step): void {
    this.#comparison.spend(found.length)
    for (const one of found) {
      if (this.list.length >= incompatibilitiesMax) return
      const isHere = place === '' && reader === '' && writer === ''
      const from = { place: place + one.place, readerPath: reader + one.readerPath, writerPath: writer + one.writerPath }
      this.list.push(isHere ? one : { ...one, ...from })
    }
  }

  /** Takes findings that nobody else has, and puts the step in front in place. */
  add(found: readonly Building<Found>[], { place = '', reader = '', writer = '' }: Step): void {
    this.#comparison.spend(found.length * 2)
    for (const one of found) {
      if (this.list.length >= incompatibilitiesMax) return
      one.place = place + one.place
      one.readerPath = reader + one.readerPath
      one.writerPath = writer + one.writerPath
      this.list.push(one)
    }
  }
}

const isPrimitive = (schema: Schema): boolean => {
  const { kind } = schema
  return kind !== 'record' && kind !== 'union' && kind !== 'enum' && kind !== 'fixed' && kind !== 'array' && kind !== 'map'
}

const fits = (reader: Schema, writer: Schema): boolean => reader.kind === writer.kind || promotes(reader.kind, writer.kind)

/** Recursive as deep as the text was nested. */
function holdsNamed(type: Schema): boolean {
  switch (type.kind) {
    case 'union':
      return type.branches.some(holdsNamed)
    case 'array':
      return holdsNamed(type.items)
    case 'map':
      return holdsNamed(type.values)
    default:
      return !isPrimitive(type)
  }
}

function kindClash(reader: Schema, writer: Schema, trail: Trail | null): Found[] {
  if (fits(reader, writer)) return []
  const message = `reader type: ${javaType(reader)} not compatible with writer type: ${javaType(writer)}`
  return [clashAt('TYPE_MISMATCH', trail, message, { reader, writer })]
}

const javaType = (schema: Schema): string => schema.kind.toUpperCase()
const lacking = (writer: Schema): string => `reader union lacking writer type: ${javaType(writer)}`

function clashAt(type: IncompatibilityType, trail: Trail | null, message: string, clash: Clash): Found {
  return { type, trail, place: '', readerPath: '', writerPath: '', message, clash }
}

function nameClash(reader: NamedSchema, writer: NamedSchema, trail: Trail | null): readonly Found[] {
  if (sameName(reader, writer)) return none
  return [clashAt('NAME_MISMATCH', { up: trail, step: 'name' }, `expected: ${writer.name}`, { reader, writer })]
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
