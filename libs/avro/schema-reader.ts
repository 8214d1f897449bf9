/**
 * The first pass over a schema's JSON: builds the types. A name that is not defined yet is left open, as in Java,
 * where even a record that uses itself is open until its last field is read; linkNames closes the open ones.
 */
import { type Budget, defaultStepsMax, misfitOf, type TypeView } from './defaults.ts'
import { isIntegerText, isJsonArray, isJsonNumber, isJsonObject, printDouble, printJson } from './json-text.ts'
import { logicalTypeOf } from './logical-types.ts'
import { fullNameOf, lengthFault, nameFault } from './names.ts'
import { pathOf, SchemaProblem, type Trail } from './problem.ts'
import { sameDefinition } from './same-definition.ts'
import type {
  EnumSchema,
  Field,
  FixedSchema,
  Json,
  NamedSchema,
  PrimitiveKind,
  PrimitiveSchema,
  RecordSchema,
  Schema,
  UnionSchema
} from './schema.ts'
import { branchName, namespaceOf, shortName } from './schema.ts'

export interface ReaderLimits {
  readonly depthMax: number
  readonly namesMax: number
  readonly fieldsMax: number
  readonly symbolsMax: number
  readonly branchesMax: number
}

export interface ReaderOptions {
  readonly limits: ReaderLimits
  readonly references: readonly Schema[]
  readonly validateDefaults: boolean
  /** Given, it is told of the first default that is found wrong, which then stops nothing. */
  readonly onWrongDefault?: ((problem: SchemaProblem) => void) | undefined
}

export type Building<T> = { -readonly [K in keyof T]: T[K] }

export interface OpenName {
  readonly fullName: string
  readonly trail: Trail | null
}

const none: ReadonlyMap<string, Json> = new Map()
const noTexts: readonly string[] = []
const primitiveKinds: readonly PrimitiveKind[] = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
/** Types without attributes, each one object wherever it stands: nearly all fields are made of them. */
const primitives: ReadonlyMap<string, PrimitiveSchema> = new Map(primitiveKinds.map(kind => [kind, { kind, properties: none }]))
/** Unions of two of them, by the first and the second: one object each as well. */
const primitivePairs: ReadonlyMap<string, ReadonlyMap<string, UnionSchema>> = new Map(
  primitiveKinds.map(first => {
    const seconds = primitiveKinds.filter(second => second !== first)
    const pair = (second: PrimitiveKind): UnionSchema => ({
      kind: 'union',
      branches: [primitives.get(first)!, primitives.get(second)!]
    })
    return [first, new Map(seconds.map(second => [second, pair(second)]))]
  })
)
const reserved: ReadonlySet<string> = new Set([
  'doc',
  'fields',
  'items',
  'name',
  'namespace',
  'size',
  'symbols',
  'values',
  'type',
  'aliases'
])
const reservedInEnum: ReadonlySet<string> = new Set([...reserved, 'default'])
const reservedInField: ReadonlySet<string> = new Set(['default', 'doc', 'name', 'order', 'type', 'aliases'])
/** A default or property nested deeper could not be read back after a definition moves to its first use. */
const valueDepthMax = 64
const fixedSizeMax = 2147483639

export class SchemaReader {
  /** False once one was found wrong and that was told. */
  validateDefaults: boolean
  /** Defined names: those of the references, then those of this text in the order in which Java finishes them. */
  readonly known = new Map<string, NamedSchema>()
  /** Types of the references: complete. */
  readonly foreign = new Set<Schema>()
  readonly open = new Map<Schema, OpenName>()
  /** The unions and fields of this text. */
  readonly holders: (UnionSchema | Field)[] = []
  /** Where each of them stands, for what is found wrong later. */
  readonly trails: (Trail | null)[] = []
  readonly budget: Budget = { left: defaultStepsMax }
  readonly #limits: ReaderLimits
  readonly #onWrongDefault: ((problem: SchemaProblem) => void) | undefined
  readonly #view: TypeView = {
    resolve: schema => schema,
    fieldsOf: record => record.fields
  }
  #names = 0

  constructor(options: ReaderOptions) {
    this.#limits = options.limits
    this.validateDefaults = options.validateDefaults
    this.#onWrongDefault = options.onWrongDefault
    for (const reference of options.references) this.#adopt(reference)
  }

  /** `namespace` is the enclosing one; empty for none. Recursive, bounded by `depthMax`. */
  read(json: Json, namespace: string, trail: Trail | null, depth: number): Schema {
    if (depth > this.#limits.depthMax) fail(trail, `types are nested deeper than ${this.#limits.depthMax}; flatten them`)
    if (typeof json === 'string') return this.#find(json, namespace, trail)
    if (isJsonArray(json)) return this.#union(json, namespace, trail, depth)
    if (!isJsonObject(json)) fail(trail, `${printJson(json)} is no schema; write a type name, an object or an array`)
    const type = json.get('type')
    if (typeof type !== 'string') {
      fail(
        type === undefined ? trail : { up: trail, step: 'type' },
        type === undefined
          ? 'the schema has no "type"; add one'
          : '"type" must be a text here; a nested schema stands directly in the place of the outer one'
      )
    }
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, type === 'error', namespace, trail, depth)
      case 'enum':
        return this.#enum(json, namespace, trail)
      case 'fixed':
        return this.#fixed(json, namespace, trail)
      case 'array':
      case 'map':
        return this.#container(json, type, namespace, trail, depth)
      default:
        if (primitives.has(type))
          return this.#annotate({ kind: type as PrimitiveKind, properties: properties(json, reserved, trail) })
        return this.#find(type, namespace, { up: trail, step: 'type' })
    }
  }

  #find(name: string, namespace: string, trail: Trail | null): Schema {
    const primitive = primitives.get(name)
    if (primitive !== undefined) return primitive
    const fullName = namespace !== '' && !name.includes('.') ? `${namespace}.${name}` : name
    const known = this.known.get(fullName) ?? this.known.get(name)
    if (known !== undefined) return known
    const open: RecordSchema = { kind: 'record', name: fullName, aliases: [], isError: false, fields: [], properties: none }
    this.open.set(open, { fullName, trail })
    return open
  }

  #union(json: readonly Json[], namespace: string, trail: Trail | null, depth: number): UnionSchema {
    if (json.length > this.#limits.branchesMax) {
      fail(trail, `a union of ${json.length} branches; the limit is ${this.#limits.branchesMax}`)
    }
    const [first, second] = json
    if (json.length === 2 && typeof first === 'string' && typeof second === 'string' && depth < this.#limits.depthMax) {
      const pair = primitivePairs.get(first)?.get(second)
      if (pair !== undefined) return pair
    }
    const branches: Schema[] = []
    for (let step = 0; step < json.length; step++) branches.push(this.#part(json[step]!, namespace, trail, step, depth))
    const union = { kind: 'union' as const, branches }
    this.#hold(union, trail)
    checkBranches(union, trail, schema => this.open.has(schema))
    return union
  }

  /** A type inside another. Most are primitive and need no place: nothing can be wrong with them. */
  #part(json: Json, namespace: string, trail: Trail | null, step: string | number, depth: number): Schema {
    const primitive = typeof json === 'string' && depth < this.#limits.depthMax ? primitives.get(json) : undefined
    return primitive ?? this.read(json, namespace, { up: trail, step }, depth + 1)
  }

  #hold(holder: UnionSchema | Field, trail: Trail | null): void {
    this.holders.push(holder)
    this.trails.push(trail)
  }

  #container(
    json: ReadonlyMap<string, Json>,
    kind: 'array' | 'map',
    namespace: string,
    trail: Trail | null,
    depth: number
  ): Schema {
    const part = kind === 'array' ? 'items' : 'values'
    const inner = json.get(part)
    if (inner === undefined) fail(trail, `the ${kind} has no "${part}"; add the type of its ${part}`)
    const type = this.#part(inner, namespace, trail, part, depth)
    const own = copiedProperties(json, reserved, trail)
    return kind === 'array' ? { kind, items: type, properties: own } : { kind, values: type, properties: own }
  }

  #record(json: ReadonlyMap<string, Json>, isError: boolean, namespace: string, trail: Trail | null, depth: number): Schema {
    const name = this.#name(json, namespace, trail)
    const items = json.get('fields')
    if (!isJsonArray(items)) fail(trail, `the record ${name} has no array "fields"; add one, empty if need be`)
    if (items.length > this.#limits.fieldsMax) {
      fail(trail, `the record ${name} has ${items.length} fields; the limit is ${this.#limits.fieldsMax}`)
    }
    const fields: Field[] = []
    const seen = new Set<string>()
    const [ofFields, own] = [{ up: trail, step: 'fields' }, namespaceOf(name)]
    for (let step = 0; step < items.length; step++) {
      const place = { up: ofFields, step }
      const field = this.#field(items[step]!, own, place, depth)
      if (seen.has(field.name)) fail(place, `the field ${field.name} stands twice in ${name}; rename one`)
      seen.add(field.name)
      fields.push(field)
    }
    const record = { kind: 'record' as const, ...this.#identity(json, name, trail), isError, fields }
    return this.#define({ ...record, properties: copiedProperties(json, reserved, trail) }, trail)
  }

  #field(json: Json, namespace: string, trail: Trail, depth: number): Field {
    if (!isJsonObject(json)) fail(trail, `${printJson(json).slice(0, 60)} is no field; write an object with "name" and "type"`)
    const name = json.get('name')
    if (typeof name !== 'string') fail(trail, 'the field has no "name"; add one')
    const type = json.get('type')
    if (type === undefined) fail(trail, `the field ${name} has no "type"; add one`)
    const schema = this.#part(type, namespace, trail, 'type', depth)
    const fault = nameFault(name)
    if (fault !== undefined) fail({ up: trail, step: 'name' }, `the field name "${name}" ${fault}`)
    const field: Building<Field> = {
      name,
      aliases: aliasTexts(json, trail),
      type: schema,
      order: orderOf(json.get('order'), trail),
      properties: properties(json, reservedInField, trail)
    }
    const doc = json.get('doc')
    if (typeof doc === 'string') field.doc = doc
    const value = json.get('default')
    if (value !== undefined) field.default = this.#default(schema, value, name, { up: trail, step: 'default' })
    this.#hold(field, trail)
    return field
  }

  /** Throws the problem unless somebody listens. */
  wrongDefault(problem: SchemaProblem): void {
    if (this.#onWrongDefault === undefined) throw problem
    this.validateDefaults = false
    this.#onWrongDefault(problem)
  }

  /** Java takes a text as the default of a float or double: it is how NaN and the infinities are written. */
  #default(schema: Schema, value: Json, name: string, trail: Trail): Json {
    checkDepth(value, trail)
    let given = value
    if (typeof value === 'string' && (schema.kind === 'float' || schema.kind === 'double')) {
      const text = value.trim().replace(/(?<=[0-9.])[dDfF]$/, '')
      const special = /^[+-]?(NaN|Infinity)$/.exec(text)
      if (special === null && !/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) {
        fail(trail, `the default of ${name}: ${printJson(value)} is no number`)
      }
      const number = Number(special?.[1] === 'NaN' ? 'NaN' : text)
      given = { text: Number.isFinite(number) ? printDouble(number) : String(number) }
    }
    if (!this.validateDefaults) return given
    const misfit = misfitOf(schema, given, this.#view, this.budget)
    if (misfit !== undefined)
      this.wrongDefault(new SchemaProblem([...pathOf(trail), ...misfit.path], `the default of ${name}: ${misfit.reason}`))
    return given
  }

  #enum(json: ReadonlyMap<string, Json>, namespace: string, trail: Trail | null): Schema {
    const name = this.#name(json, namespace, trail)
    const items = json.get('symbols')
    if (!isJsonArray(items)) fail(trail, `the enum ${name} has no array "symbols"; add one`)
    if (items.length > this.#limits.symbolsMax) {
      fail(trail, `the enum ${name} has ${items.length} symbols; the limit is ${this.#limits.symbolsMax}`)
    }
    const symbols = new Set<string>()
    for (const [index, symbol] of items.entries()) {
      const place = { up: { up: trail, step: 'symbols' }, step: index }
      if (typeof symbol !== 'string') fail(place, `a symbol of ${name} is no text; write it in double quotes`)
      const fault = nameFault(symbol)
      if (fault !== undefined) fail(place, `the symbol "${symbol}" of ${name} ${fault}`)
      if (symbols.has(symbol)) fail(place, `the symbol ${symbol} stands twice in ${name}; remove one`)
      symbols.add(symbol)
    }
    const result: Building<EnumSchema> = {
      kind: 'enum',
      ...this.#identity(json, name, trail),
      symbols: [...symbols],
      properties: properties(json, reservedInEnum, trail)
    }
    const value = json.get('default')
    if (typeof value === 'string') {
      if (!symbols.has(value)) {
        fail(
          { up: trail, step: 'default' },
          `the default ${JSON.stringify(value)} is no symbol of ${name}; add it to "symbols" or name another`
        )
      }
      result.default = value
    }
    return this.#define(result, trail)
  }

  #fixed(json: ReadonlyMap<string, Json>, namespace: string, trail: Trail | null): Schema {
    const name = this.#name(json, namespace, trail)
    const size = json.get('size')
    if (!isJsonNumber(size) || !isIntegerText(size.text))
      fail(trail, `the fixed ${name} has no whole number "size"; add its count of bytes`)
    const bytes = Number(size.text)
    if (bytes < 0 || bytes > fixedSizeMax)
      fail({ up: trail, step: 'size' }, `the size ${size.text} is outside 0..${fixedSizeMax}`)
    const fixed: FixedSchema = {
      kind: 'fixed',
      ...this.#identity(json, name, trail),
      size: bytes === 0 ? 0 : bytes,
      properties: properties(json, reserved, trail)
    }
    return this.#define(this.#annotate(fixed), trail)
  }

  #name(json: ReadonlyMap<string, Json>, namespace: string, trail: Trail | null): string {
    const name = json.get('name')
    if (typeof name !== 'string') fail(trail, `the ${json.get('type')} has no "name"; add one`)
    const own = json.get('namespace')
    const fullName = fullNameOf(name, typeof own === 'string' ? own : namespace)
    const fault = nameFault(shortName(fullName)) ?? lengthFault(fullName)
    if (fault !== undefined) fail({ up: trail, step: 'name' }, `the name "${shortName(fullName)}" ${fault}`)
    if (primitives.has(fullName))
      fail({ up: trail, step: 'name' }, `${fullName} is the name of a primitive type; choose another or add a namespace`)
    return fullName
  }

  #identity(
    json: ReadonlyMap<string, Json>,
    name: string,
    trail: Trail | null
  ): { name: string; aliases: string[]; doc?: string } {
    const aliases = new Set<string>()
    for (const alias of aliasTexts(json, trail)) {
      const fullName = fullNameOf(alias, namespaceOf(name))
      const fault = nameFault(shortName(fullName)) ?? lengthFault(fullName)
      if (fault !== undefined) fail({ up: trail, step: 'aliases' }, `the alias "${alias}" ${fault}`)
      aliases.add(fullName)
    }
    const doc = json.get('doc')
    return typeof doc === 'string' ? { name, aliases: [...aliases], doc } : { name, aliases: [...aliases] }
  }

  #annotate<T extends Schema & { readonly properties: ReadonlyMap<string, Json> }>(schema: T): T {
    const logicalType = logicalTypeOf(schema)
    return logicalType === undefined ? schema : { ...schema, logicalType }
  }

  #define(schema: NamedSchema, trail: Trail | null): Schema {
    for (const part of namespaceOf(schema.name) === '' ? [] : namespaceOf(schema.name).split('.')) {
      const fault = nameFault(part)
      if (fault !== undefined) fail(trail, `the part "${part}" of the namespace ${namespaceOf(schema.name)} ${fault}`)
    }
    if (++this.#names > this.#limits.namesMax)
      fail(trail, `more than ${this.#limits.namesMax} named types in one schema; split it`)
    const known = this.known.get(schema.name)
    if (known === undefined) {
      this.known.set(schema.name, schema)
      return schema
    }
    if (sameDefinition(known, schema, part => this.open.has(part))) return known
    fail(trail, `${schema.name} is defined a second time, and differently; use its name instead, or rename one`)
  }

  #adopt(reference: Schema): void {
    const waiting: Schema[] = [reference]
    for (let schema = waiting.pop(); schema !== undefined; schema = waiting.pop()) {
      if (this.foreign.has(schema)) continue
      this.foreign.add(schema)
      if (schema.kind === 'record') for (const field of schema.fields) waiting.push(field.type)
      else if (schema.kind === 'union') waiting.push(...schema.branches)
      else if (schema.kind === 'array') waiting.push(schema.items)
      else if (schema.kind === 'map') waiting.push(schema.values)
      if (schema.kind !== 'record' && schema.kind !== 'enum' && schema.kind !== 'fixed') continue
      const known = this.known.get(schema.name)
      if (known === undefined) this.known.set(schema.name, schema)
      else if (!sameDefinition(known, schema))
        fail(null, `two references define ${schema.name}, and differently; keep one of them`)
    }
  }
}

function fail(trail: Trail | null, reason: string): never {
  throw new SchemaProblem(pathOf(trail), reason)
}

/** A union holds each kind once and each name once, and no union. */
export function checkBranches(union: UnionSchema, trail: Trail | null, isOpen: (schema: Schema) => boolean): void {
  const { branches } = union
  // Nearly all unions have two branches, for which a set is too much.
  const seen = branches.length > 2 ? new Set<string>() : undefined
  let first: string | undefined
  for (let step = 0; step < branches.length; step++) {
    const branch = branches[step]!
    if (isOpen(branch)) continue
    if (branch.kind === 'union') {
      fail({ up: trail, step }, 'a union stands directly in a union; put its branches into the outer one')
    }
    const name = branchName(branch)
    if (name === first || seen?.has(name)) {
      fail({ up: trail, step }, `the union has two branches ${name}; keep one, or wrap one in a record of its own name`)
    }
    first ??= name
    seen?.add(name)
  }
}

function properties(
  json: ReadonlyMap<string, Json>,
  skipped: ReadonlySet<string>,
  trail: Trail | null
): ReadonlyMap<string, Json> {
  let own: Map<string, Json> | undefined
  for (const [key, value] of json) {
    if (skipped.has(key)) continue
    if (typeof value === 'object') checkDepth(value, { up: trail, step: key })
    own ??= new Map()
    own.set(key, value)
  }
  return own ?? none
}

/** Java copies the properties of records, arrays and maps once more, and that copy takes no integer beyond 64 bits. */
function copiedProperties(
  json: ReadonlyMap<string, Json>,
  skipped: ReadonlySet<string>,
  trail: Trail | null
): ReadonlyMap<string, Json> {
  const own = properties(json, skipped, trail)
  for (const [key, value] of own) {
    const waiting: Json[] = [value]
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
      if (isJsonArray(item)) for (const part of item) waiting.push(part)
      else if (isJsonObject(item)) for (const part of item.values()) waiting.push(part)
      else if (isJsonNumber(item) && isIntegerText(item.text) && BigInt.asIntN(64, BigInt(item.text)) !== BigInt(item.text)) {
        fail({ up: trail, step: key }, `the property ${key} holds ${item.text}, which is beyond 64 bits; write it as a text`)
      }
    }
  }
  return own
}

function checkDepth(value: Json, trail: Trail): void {
  if (!isContainer(value)) return
  const waiting: [Container, number][] = [[value, 1]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [item, depth] = next
    if (depth > valueDepthMax) fail(trail, `the value is nested deeper than ${valueDepthMax}; flatten it`)
    for (const part of item.values()) if (isContainer(part)) waiting.push([part, depth + 1])
  }
}

type Container = readonly Json[] | ReadonlyMap<string, Json>
const isContainer = (value: Json): value is Container => isJsonArray(value) || isJsonObject(value)

/** Each once. */
function aliasTexts(json: ReadonlyMap<string, Json>, trail: Trail | null): readonly string[] {
  const aliases = json.get('aliases')
  if (aliases === undefined) return noTexts
  const place = { up: trail, step: 'aliases' }
  if (!isJsonArray(aliases)) fail(place, 'the aliases are no array; write ["old_name"]')
  const texts = new Set<string>()
  for (const [index, alias] of aliases.entries()) {
    if (typeof alias !== 'string') fail({ up: place, step: index }, 'an alias is no text; write it in double quotes')
    texts.add(alias)
  }
  return [...texts]
}

function orderOf(json: Json | undefined, trail: Trail): Field['order'] {
  if (json === undefined) return 'ascending'
  const order = typeof json === 'string' ? json.toLowerCase() : ''
  if (order === 'ascending' || order === 'descending' || order === 'ignore') return order
  fail({ up: trail, step: 'order' }, '"order" must be "ascending", "descending" or "ignore"')
}
