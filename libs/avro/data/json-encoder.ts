/** Writes JSON values as Avro, taking what people type: unions without their branch where only one fits, fields with a default left out. */
import { nearestName } from '@assay/std'
import type { Field, RecordSchema, Schema, UnionSchema } from '../schema.ts'
import { branchName } from '../schema.ts'
import type { BinaryWriter } from './binary.ts'
import { writeDefault } from './default-bytes.ts'
import { describe, listed, Refusal } from './faults.ts'
import { jsonFormOf, jsonKindOf, type Raw } from './json-form.ts'
import { type JsonUnion, jsonUnionOf, wrappedBranch } from './json-union.ts'
import type { Step } from './place.ts'
import type { ScalarSchema } from './resolution.ts'
import { DEPTH_MAX } from './validator-source.ts'
import { minWidths, WIDTHLESS_MAX } from './width.ts'

type Members = Readonly<Record<string, unknown>>

/** Whether a value fits a branch, and if not, how far into it the trouble is. */
interface Trial {
  readonly depth: number
  readonly refusal: { readonly reason: string; readonly steps: readonly Step[] } | undefined
}

export class JsonEncoder {
  /** The place of what is being written; after a Refusal, of what was refused. */
  readonly steps: Step[] = []
  readonly #writer: BinaryWriter
  /** Each object is tried once against each branch: unions inside unions would else take exponential time. */
  readonly #trials = new Map<object, Map<Schema, Trial>>()
  #depth = 0

  constructor(writer: BinaryWriter) {
    this.#writer = writer
  }

  /** Throws Refusal. */
  write(schema: Schema, json: unknown): void {
    switch (schema.kind) {
      case 'record':
        this.#record(schema, json)
        return
      case 'enum': {
        const index = typeof json === 'string' ? schema.symbols.indexOf(json) : -1
        if (index < 0) throw new Refusal(`expected a symbol of ${schema.name} (${listed(schema.symbols)}), got ${describe(json)}`)
        this.#writer.int(index)
        return
      }
      case 'array':
        this.#array(schema.items, json)
        return
      case 'map':
        this.#map(schema.values, json)
        return
      case 'union':
        this.#union(schema, json)
        return
      default:
        writeRaw(this.#writer, schema, jsonFormOf(schema).fromJson(json))
    }
  }

  #record(schema: RecordSchema, json: unknown): void {
    if (jsonKindOf(json) !== 'object' || json === undefined)
      throw new Refusal(`expected an object with the fields of ${schema.name}, got ${describe(json)}`)
    if (this.#depth >= DEPTH_MAX) throw new Refusal(`records are nested deeper than ${DEPTH_MAX}`)
    if (recordWeight(schema) > WIDTHLESS_MAX)
      throw new Refusal(`a record of more than ${WIDTHLESS_MAX} values that take no bytes`)
    const members = json as Members
    const fields = fieldsOf(schema)
    for (const name of Object.keys(members)) {
      if (fields.has(name)) continue
      this.steps.push(name)
      const names = schema.fields.map(field => field.name)
      const nearest = nearestName(name, names)
      const hint = nearest === undefined ? `which has ${listed(names)}` : `did you mean ${nearest}?`
      throw new Refusal(`is no field of ${schema.name}${names.length === 0 ? ', which has none' : `, ${hint}`}`)
    }
    this.#depth++
    for (const field of schema.fields) {
      this.steps.push(field.name)
      const value = Object.hasOwn(members, field.name) ? members[field.name] : undefined
      if (value !== undefined) this.write(field.type, value)
      else if (field.default !== undefined) writeDefault(this.#writer, field, this.#depth)
      else throw new Refusal(`is missing and has no default; expected ${typeName(field.type)}`)
      this.steps.pop()
    }
    this.#depth--
  }

  #array(items: Schema, json: unknown): void {
    if (!Array.isArray(json)) throw new Refusal(`expected an array, got ${describe(json)}`)
    const weight = widthlessWeight(items)
    if (weight !== undefined) this.#writer.addWidthless(json.length * weight)
    if (json.length > 0) this.#writer.long(json.length)
    for (const [index, item] of json.entries()) {
      this.steps.push(index)
      this.write(items, item)
      this.steps.pop()
    }
    this.#writer.int(0)
  }

  #map(values: Schema, json: unknown): void {
    if (jsonKindOf(json) !== 'object' || json === undefined) throw new Refusal(`expected an object, got ${describe(json)}`)
    const entries = Object.entries(json as Members)
    if (entries.length > 0) this.#writer.long(entries.length)
    for (const [key, value] of entries) {
      this.steps.push(key)
      this.#writer.string(key)
      this.write(values, value)
      this.steps.pop()
    }
    this.#writer.int(0)
  }

  #union(union: UnionSchema, json: unknown): void {
    if (json === null) {
      const index = union.branches.findIndex(branch => branch.kind === 'null')
      if (index < 0) throw new Refusal(`expected ${branchList(union)}, got null`)
      this.#writer.int(index)
      return
    }
    const shape = jsonUnionOf(union)
    const wrapped = wrappedBranch(shape, json)
    if (wrapped !== undefined) {
      this.steps.push(wrapped.name)
      this.#branch(union, wrapped.index, (json as Members)[wrapped.name])
      this.steps.pop()
      return
    }
    const natural = shape.byKind?.get(jsonKindOf(json))
    const only = natural ?? (shape.others.length === 1 ? shape.others[0] : undefined)
    this.#branch(union, only ?? this.#fitting(union, shape, json), json)
  }

  #branch(union: UnionSchema, index: number, json: unknown): void {
    this.#writer.int(index)
    this.write(union.branches[index]!, json)
  }

  /** The one branch that takes the value. */
  #fitting(union: UnionSchema, { others }: JsonUnion, json: unknown): number {
    const trials = others.map(index => ({ index, ...this.#try(union.branches[index]!, json) }))
    const fitting = trials.filter(({ refusal }) => refusal === undefined)
    if (fitting.length === 1) return fitting[0]!.index
    const names = (found: readonly { index: number }[]): string =>
      listed(found.map(({ index }) => branchName(union.branches[index]!)))
    if (fitting.length > 1) {
      const example = JSON.stringify(branchName(union.branches[fitting[0]!.index]!))
      throw new Refusal(`${describe(json)} fits more than one branch: ${names(fitting)}; say which, as {${example}: …}`)
    }
    // The branch that fits furthest in is what was meant; when several come as far, they must stumble over the same thing.
    const furthest = Math.max(...trials.map(({ refusal }) => refusal!.steps.length))
    const meant = trials.filter(({ refusal }) => refusal!.steps.length === furthest).map(({ refusal }) => refusal!)
    const [first] = meant
    if (first !== undefined && furthest > 0 && meant.every(({ reason }) => reason === first.reason)) {
      this.steps.push(...first.steps)
      throw new Refusal(first.reason)
    }
    throw new Refusal(`expected ${branchList(union)}, got ${describe(json)}`)
  }

  #try(branch: Schema, json: unknown): Trial {
    if (typeof json !== 'object' || json === null) return this.#attempt(branch, json)
    const byBranch = this.#trials.get(json) ?? new Map<Schema, Trial>()
    this.#trials.set(json, byBranch)
    const known = byBranch.get(branch)
    // An object that stands at several depths may fit at one and be too deep at another.
    if (known !== undefined && known.depth === this.#depth) return known
    const trial = this.#attempt(branch, json)
    byBranch.set(branch, trial)
    return trial
  }

  #attempt(branch: Schema, json: unknown): Trial {
    const { at, widthless } = this.#writer
    const depth = this.#depth
    const place = this.steps.length
    try {
      this.write(branch, json)
      return { depth, refusal: undefined }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { depth, refusal: { reason: error.reason, steps: this.steps.slice(place) } }
    } finally {
      this.#writer.at = at
      this.#writer.widthless = widthless
      this.#depth = depth
      this.steps.length = place
    }
  }
}

function writeRaw(writer: BinaryWriter, { kind }: ScalarSchema, raw: Raw): void {
  switch (kind) {
    case 'null':
      return
    case 'boolean':
      writer.boolean(raw as boolean)
      return
    case 'int':
    case 'long':
      writer.long(raw as number | bigint)
      return
    case 'float':
      writer.float(raw as number)
      return
    case 'double':
      writer.double(raw as number)
      return
    case 'bytes':
      writer.bytes(raw as Uint8Array)
      return
    case 'fixed':
      writer.fixed(raw as Uint8Array)
      return
    case 'string':
      writer.string(raw as string)
  }
}

const fieldNames = new WeakMap<RecordSchema, ReadonlyMap<string, Field>>()

function fieldsOf(schema: RecordSchema): ReadonlyMap<string, Field> {
  let fields = fieldNames.get(schema)
  if (fields === undefined) {
    fields = new Map(schema.fields.map(field => [field.name, field]))
    fieldNames.set(schema, fields)
  }
  return fields
}

const weights = new WeakMap<Schema, { readonly weight: number | undefined }>()

/** Values in an item that takes no bytes; undefined for what takes some. */
function widthlessWeight(schema: Schema): number | undefined {
  let known = weights.get(schema)
  if (known === undefined) {
    const widths = minWidths()
    known = { weight: widths.of(schema) === 0 ? widths.weightOf(schema) : undefined }
    weights.set(schema, known)
  }
  return known.weight
}

const recordWeight = (schema: RecordSchema): number => widthlessWeight(schema) ?? 0

const branchList = (union: UnionSchema): string => `one of ${listed(union.branches.map(branchName))}`
const typeName = (schema: Schema): string => (schema.kind === 'union' ? branchList(schema) : branchName(schema))
