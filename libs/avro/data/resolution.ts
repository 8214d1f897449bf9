/**
 * How what one schema wrote is read with another (Avro 1.12, "Schema Resolution"; names as Java compares them): a plan made once for a pair,
 * from which decoders are compiled. Where only some data cannot be read, the plan says so at that place and the rest is read.
 */
import { compatibility, sameName } from '../compatibility.ts'
import type { EnumSchema, Field, RecordSchema, Schema, UnionSchema } from '../schema.ts'
import { branchName } from '../schema.ts'
import { type EncodedDefault, encodedDefault } from './default-bytes.ts'
import { listed, Refusal } from './faults.ts'

export type Plan =
  | { readonly op: 'scalar'; readonly writer: ScalarSchema; readonly reader: ScalarSchema }
  /** `symbols` by the writer's index; undefined where the reader has neither the symbol nor a default. */
  | {
      readonly op: 'enum'
      readonly writer: EnumSchema
      readonly reader: EnumSchema
      readonly symbols: readonly (string | undefined)[]
    }
  | { readonly op: 'array'; readonly items: Plan }
  | { readonly op: 'map'; readonly values: Plan }
  | RecordPlan
  /** The writer has a union: one plan for each of its branches. */
  | { readonly op: 'choice'; readonly branches: readonly Plan[] }
  /** The reader has a union: `index` is its branch. */
  | { readonly op: 'branch'; readonly union: UnionSchema; readonly index: number; readonly plan: Plan }
  | { readonly op: 'fail'; readonly reason: string }

export interface RecordPlan {
  readonly op: 'record'
  readonly reader: RecordSchema
  /** In the writer's order. Without `field` the reader has no use for it. */
  readonly steps: readonly Step[]
  /** The reader's fields that the writer does not have. */
  readonly missing: readonly { readonly field: Field; readonly filled: EncodedDefault; readonly plan: Plan }[]
}

export type Step =
  | { readonly name: string; readonly field: Field; readonly plan: Plan }
  | { readonly name: string; readonly skip: Schema }

export type ScalarSchema = Exclude<Schema, { kind: 'record' | 'enum' | 'array' | 'map' | 'union' }>

const STEPS_MAX = 2_000_000

const plans = new WeakMap<Schema, WeakMap<Schema, Plan>>()

/** Kept as long as the schemas. The plan of a recursive pair is a graph with circles. */
export function planOf(writer: Schema, reader: Schema): Plan {
  let byReader = plans.get(writer)
  if (byReader === undefined) {
    byReader = new WeakMap()
    plans.set(writer, byReader)
  }
  let plan = byReader.get(reader)
  if (plan === undefined) {
    plan = new Planner().plan(writer, reader)
    byReader.set(reader, plan)
  }
  return plan
}

/** Reader kind to the other writer kinds that are promoted to it. */
const promotions: Readonly<Partial<Record<Schema['kind'], readonly Schema['kind'][]>>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes']
}

/** The branches of a union by kind and full name, and which of them have names of their own. */
interface UnionIndex {
  readonly exact: ReadonlyMap<string, number>
  readonly named: readonly number[]
}

class Planner {
  readonly #known = new Map<Schema, Map<Schema, Plan>>()
  readonly #unions = new Map<UnionSchema, UnionIndex>()
  #steps = 0

  plan(writer: Schema, reader: Schema): Plan {
    const known = this.#known.get(writer) ?? new Map<Schema, Plan>()
    this.#known.set(writer, known)
    const before = known.get(reader)
    if (before !== undefined) return before
    this.#spend(1)
    if (writer.kind === 'record' && reader.kind === 'record') return this.#records(writer, reader, known)
    const plan = this.#decide(writer, reader)
    known.set(reader, plan)
    return plan
  }

  #decide(writer: Schema, reader: Schema): Plan {
    if (writer.kind === 'union') return { op: 'choice', branches: writer.branches.map(branch => this.plan(branch, reader)) }
    if (reader.kind === 'union') {
      const index = this.#branchFor(writer, reader)
      if (index < 0)
        return fail(`was written as ${branchName(writer)}, which is no branch of the reader's [${branchNames(reader)}]`)
      return { op: 'branch', union: reader, index, plan: this.plan(writer, reader.branches[index]!) }
    }
    if (writer.kind === 'array' && reader.kind === 'array') return { op: 'array', items: this.plan(writer.items, reader.items) }
    if (writer.kind === 'map' && reader.kind === 'map') return { op: 'map', values: this.plan(writer.values, reader.values) }
    if (writer.kind === 'enum' && reader.kind === 'enum') return this.#enums(writer, reader)
    if (!isScalar(writer) || !isScalar(reader) || !takes(reader, writer)) {
      return fail(`was written as ${branchName(writer)} and cannot be read as ${branchName(reader)}`)
    }
    const clash = logicalClash(writer, reader)
    return clash === undefined ? { op: 'scalar', writer, reader } : fail(clash)
  }

  /** Registered before its fields are planned, because they may lead back here. */
  #records(writer: RecordSchema, reader: RecordSchema, known: Map<Schema, Plan>): Plan {
    if (!sameName(reader, writer)) {
      const plan = fail(`was written as ${writer.name} and cannot be read as ${reader.name}`)
      known.set(reader, plan)
      return plan
    }
    const steps: Step[] = []
    const missing: RecordPlan['missing'][number][] = []
    const plan: RecordPlan = { op: 'record', reader, steps, missing }
    known.set(reader, plan)
    const readers = this.#readersOf(writer, reader)
    const fed = new Set(readers.values())
    for (const field of reader.fields) if (!fed.has(field)) missing.push(this.#missing(field, writer))
    for (const field of writer.fields) {
      const target = readers.get(field)
      if (target === undefined) steps.push({ name: field.name, skip: field.type })
      else steps.push({ name: field.name, field: target, plan: this.plan(field.type, target.type) })
    }
    return plan
  }

  /** Writer's field to reader's field; a name goes before an alias. */
  #readersOf(writer: RecordSchema, reader: RecordSchema): Map<Field, Field> {
    const byName = new Map(writer.fields.map(field => [field.name, field]))
    const readers = new Map<Field, Field>()
    const renamed: Field[] = []
    for (const field of reader.fields) {
      this.#spend(1 + field.aliases.length)
      const source = byName.get(field.name)
      if (source === undefined) renamed.push(field)
      else readers.set(source, field)
    }
    for (const field of renamed) {
      const source = field.aliases.map(alias => byName.get(alias)).find(found => found !== undefined && !readers.has(found))
      if (source !== undefined) readers.set(source, field)
    }
    return readers
  }

  #missing(field: Field, writer: RecordSchema): RecordPlan['missing'][number] {
    if (field.default === undefined) {
      return { field, filled: nothing, plan: fail(`is not in the writer's ${writer.name} and has no default in the reader's`) }
    }
    try {
      return { field, filled: encodedDefault(field), plan: this.plan(field.type, field.type) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { field, filled: nothing, plan: fail(error.reason) }
    }
  }

  #enums(writer: EnumSchema, reader: EnumSchema): Plan {
    if (!sameName(reader, writer)) return fail(`was written as ${writer.name} and cannot be read as ${reader.name}`)
    this.#spend(writer.symbols.length >> 3)
    const known = new Set(reader.symbols)
    return { op: 'enum', writer, reader, symbols: writer.symbols.map(symbol => (known.has(symbol) ? symbol : reader.default)) }
  }

  /** As in Java: the same full name first, then the same kind (and short name or alias), then promotions, in the order of the union. */
  #branchFor(writer: Schema, union: UnionSchema): number {
    const { branches } = union
    const { exact, named } = this.#indexOf(union)
    const same = exact.get(`${writer.kind} ${branchName(writer)}`)
    if (same !== undefined) return same
    if ('name' in writer) {
      this.#spend(named.length >> 3)
      const matching = named.filter(index => branches[index]!.kind === writer.kind && sharesName(branches[index]!, writer))
      if (matching.length > 1) {
        return matching.find(index => compatibility(branches[index]!, writer).length === 0) ?? matching[0]!
      }
      return matching[0] ?? -1
    }
    this.#spend(branches.length >> 3)
    return branches.findIndex(branch => promotions[branch.kind]?.includes(writer.kind))
  }

  #indexOf(union: UnionSchema): UnionIndex {
    let index = this.#unions.get(union)
    if (index === undefined) {
      const { branches } = union
      index = {
        exact: new Map(branches.map((branch, at) => [`${branch.kind} ${branchName(branch)}`, at])),
        named: branches.flatMap((branch, at) => ('name' in branch ? [at] : []))
      }
      this.#unions.set(union, index)
    }
    return index
  }

  #spend(steps: number): void {
    this.#steps += steps + 1
    if (this.#steps > STEPS_MAX)
      throw new Refusal('resolving the two schemas takes too many steps; make them smaller or less entangled')
  }
}

const nothing: EncodedDefault = { bytes: Buffer.alloc(0), values: 0, depth: 0, widthless: 0 }
const fail = (reason: string): Plan => ({ op: 'fail', reason })
const branchNames = (union: UnionSchema): string => listed(union.branches.map(branchName))

const sharesName = (a: Schema, b: Schema): boolean => 'name' in a && 'name' in b && sameName(a, b)

function isScalar(schema: Schema): schema is ScalarSchema {
  return !['record', 'enum', 'array', 'map', 'union'].includes(schema.kind)
}

function takes(reader: ScalarSchema, writer: ScalarSchema): boolean {
  if (reader.kind === 'fixed' && writer.kind === 'fixed') return reader.size === writer.size && sameName(reader, writer)
  return reader.kind === writer.kind || (promotions[reader.kind]?.includes(writer.kind) ?? false)
}

/** Two different meanings of the same bytes: milliseconds read as microseconds would be wrong by a thousand, silently. */
function logicalClash({ logicalType: written }: ScalarSchema, { logicalType: read }: ScalarSchema): string | undefined {
  if (written === undefined || read === undefined) return undefined
  if (written.name !== read.name) return `was written as ${written.name} and cannot be read as ${read.name}`
  if (written.name !== 'decimal' || read.name !== 'decimal' || written.scale === read.scale) return undefined
  return `was written as a decimal of scale ${written.scale} and cannot be read with scale ${read.scale}`
}
