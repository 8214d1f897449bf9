/**
 * Compiles a schema into JavaScript that writes a program's values. What does not fit throws Refusal; where it stands, only the traced code
 * knows. Names of a schema are in the code only as string literals.
 */
import type { RecordSchema, Schema, UnionSchema } from '../schema.ts'
import { branchName } from '../schema.ts'
import type { BinaryWriter } from './binary.ts'
import { writeDefault } from './default-bytes.ts'
import { describe, listed, Refusal } from './faults.ts'
import type { Step } from './place.ts'
import type { ScalarSchema } from './resolution.ts'
import { type FixedOptions, longOf, looseForm, refuse, typedFormOf } from './typed-form.ts'
import { unionShape } from './union-shape.ts'
import { DEPTH_MAX } from './validator-source.ts'
import { minWidths, WIDTHLESS_MAX, type Widths } from './width.ts'

export interface EncoderOptions extends FixedOptions {
  /** Takes only values as they are read: complete, and with the types of a reader. */
  readonly strict: boolean
}

export type Encode = (writer: BinaryWriter, value: unknown) => void

/** `trace`, when given, holds the place of what is being written. */
export function compileEncoder(schema: Schema, options: EncoderOptions, trace?: Step[]): Encode {
  const code = new EncoderCode(options, trace !== undefined)
  const source = code.render(schema)
  const make = new Function('refuse', 'isMembers', 'tooDeep', 'trace', 'values', source)
  return make(refuse, isMembers, tooDeep, trace, code.values) as Encode
}

/** An object that is a record or a map: none of a class that stands for something else. */
function isMembers(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  return !(
    Array.isArray(value) ||
    value instanceof Uint8Array ||
    value instanceof Date ||
    value instanceof Map ||
    value instanceof Set
  )
}

function tooDeep(): never {
  throw new Refusal(`records are nested deeper than ${DEPTH_MAX}`)
}

class EncoderCode {
  /** What the code refers to by its index. */
  readonly values: unknown[] = []
  readonly #options: EncoderOptions
  readonly #traced: boolean
  readonly #widths: Widths = minWidths()
  readonly #records = new Map<RecordSchema, string>()
  readonly #functions: string[] = []
  #names = 0

  constructor(options: EncoderOptions, traced: boolean) {
    this.#options = options
    this.#traced = traced
  }

  render(schema: Schema): string {
    const root = this.#statement(schema, 'v')
    const constants = this.values.map((_value, index) => `const x${index} = values[${index}];`).join('\n')
    return `"use strict";\n${constants}\n${this.#functions.join('\n')}\nreturn (w, v) => { const d = 0; ${root} }`
  }

  /** A statement that writes the value of the expression `v` to `w`; `d` is the depth of records around it. */
  #statement(schema: Schema, v: string): string {
    switch (schema.kind) {
      case 'record':
        return `${this.#record(schema)}(w, ${v}, d + 1);`
      case 'enum': {
        const indexes = this.#value(new Map(schema.symbols.map((symbol, index) => [symbol, index])))
        const unknown = (value: unknown): never => refuse(`a symbol of ${schema.name} (${listed(schema.symbols)})`, value)
        return `w.int(${indexes}.get(${v}) ?? ${this.#value(unknown)}(${v}));`
      }
      case 'array':
        return `${this.#array(schema.items)}(w, ${v}, d);`
      case 'map':
        return `${this.#map(schema.values)}(w, ${v}, d);`
      case 'union':
        return `${this.#union(schema)}(w, ${v}, d);`
      default:
        return this.#scalar(schema, v)
    }
  }

  #scalar(schema: ScalarSchema, v: string): string {
    const form = typedFormOf(schema, this.#options)
    if (form !== undefined) {
      const toRaw = this.#options.strict ? form.toRaw : looseForm(schema, form)
      return this.#raw(schema, `${this.#value(toRaw)}(${v})`)
    }
    switch (schema.kind) {
      case 'null':
        return `if (${v} !== null) refuse("null", ${v});`
      case 'boolean':
        return `if (typeof ${v} !== "boolean") refuse("boolean", ${v}); w.boolean(${v});`
      case 'int':
        return `if ((${v} | 0) !== ${v}) refuse("int", ${v}); w.int(${v});`.replace('if (', `if (typeof ${v} !== "number" || `)
      case 'long':
        return this.#raw(schema, `${this.#value(this.#options.strict ? strictLong(this.#options) : longOf)}(${v})`)
      case 'float':
      case 'double':
        return `if (typeof ${v} !== "number") refuse(${JSON.stringify(schema.kind)}, ${v}); w.${schema.kind}(${v});`
      case 'string':
        return `if (typeof ${v} !== "string") refuse("string", ${v}); w.string(${v});`
      case 'bytes':
        return `if (!(${v} instanceof Uint8Array)) refuse("bytes as a Uint8Array", ${v}); w.bytes(${v});`
      case 'fixed': {
        const expected = JSON.stringify(`a Uint8Array of ${schema.size} bytes`)
        return `if (!(${v} instanceof Uint8Array) || ${v}.length !== ${schema.size}) refuse(${expected}, ${v}); w.fixed(${v});`
      }
    }
  }

  #raw({ kind }: ScalarSchema, expression: string): string {
    return `w.${kind}(${expression});`
  }

  #record(schema: RecordSchema): string {
    const known = this.#records.get(schema)
    if (known !== undefined) return known
    const name = `f${this.#names++}`
    this.#records.set(schema, name)
    const weight = this.#widths.of(schema) === 0 ? this.#widths.weightOf(schema) : 0
    const heavy = weight > WIDTHLESS_MAX ? `refuse("a record of at most ${WIDTHLESS_MAX} values that take no bytes", v);` : ''
    const fields = schema.fields.map((field, index) => {
      const a = `a${index}`
      const statement = this.#statement(field.type, a)
      const filled = field.default !== undefined && !this.#options.strict
      const fill = (writer: BinaryWriter, depth: number): void => writeDefault(writer, field, depth)
      const write = filled ? `if (${a} === undefined) ${this.#value(fill)}(w, d); else { ${statement} }` : statement
      return this.#at(JSON.stringify(field.name), `const ${a} = ${member(field.name)}; ${write}`)
    })
    const expected = JSON.stringify(`an object with the fields of ${schema.name}`)
    const head = `if (!isMembers(v)) refuse(${expected}, v); if (d > ${DEPTH_MAX}) tooDeep(); ${heavy}`
    this.#functions.push(`function ${name}(w, v, d) { ${head}\n${fields.join('\n')} }`)
    return name
  }

  #array(items: Schema): string {
    const weight = this.#widths.of(items) === 0 ? this.#widths.weightOf(items) : undefined
    const count = weight === undefined ? '' : `w.addWidthless(v.length * ${weight});`
    const item = this.#at('i', `const item = v[i]; ${this.#statement(items, 'item')}`)
    const body = `if (v.length > 0) w.long(v.length); for (let i = 0; i < v.length; i++) { ${item} } w.int(0);`
    return this.#function(`if (!Array.isArray(v)) refuse("an array", v); ${count} ${body}`)
  }

  #map(values: Schema): string {
    const item = this.#at('key', `w.string(key); const item = entry(key); ${this.#statement(values, 'item')}`)
    // A Map would else be written as an object without members.
    const other = this.#options.strict ? '' : 'if (v instanceof Map) { keys = [...v.keys()]; entry = key => v.get(key); } else'
    const keys = `let keys, entry; ${other} if (isMembers(v)) { keys = Object.keys(v); entry = key => v[key]; } else refuse("an object as a map", v);`
    return this.#function(`${keys} if (keys.length > 0) w.long(keys.length); for (const key of keys) { ${item} } w.int(0);`)
  }

  #union(union: UnionSchema): string {
    const shape = unionShape(union)
    const branches = union.branches.map((schema, index) => ({ schema, index }))
    const others = branches.filter(({ schema }) => schema.kind !== 'null')
    const nothing = branches.find(({ schema }) => schema.kind === 'null')
    const tests: string[] = []
    if (nothing !== undefined) tests.push(`if (v === null) { w.int(${nothing.index}); return }`)
    const boxed = shape === 'boxed'
    const named = boxed ? others : shape === 'tagged' ? others.filter(({ schema }) => schema.kind === 'record') : []
    if (named.length > 0) {
      const inner = boxed ? 'const content = v.value;' : 'const content = v;'
      const cases = named.map(({ schema, index }) => {
        const statement = this.#statement(schema, 'content')
        const written = boxed ? this.#at('"value"', statement) : statement
        return `case ${JSON.stringify(branchName(schema))}: w.int(${index}); ${written} return;`
      })
      tests.push(`if (isMembers(v)) { ${inner} switch (v.$type) { ${cases.join('\n')} } }`)
    }
    const plain = others.filter(branch => !named.includes(branch))
    for (const { schema, index } of plain) {
      // What can only be one thing says best itself what is wrong with it.
      const test = others.length === 1 ? 'v !== undefined' : takes(schema)
      tests.push(`if (${test}) { w.int(${index}); ${this.#statement(schema, 'v')} return }`)
    }
    const names = union.branches.map(branchName)
    const mark = boxed ? ' as { $type, value }' : named.length > 0 ? ', records with their $type' : ''
    const unknown = (value: unknown): never => {
      throw new Refusal(`expected one of ${listed(names)}${mark}, got ${typeOf(value)}`)
    }
    return this.#function(`${tests.join('\n')} ${this.#value(unknown)}(v);`)
  }

  /** `step` is an expression. */
  #at(step: string, statements: string): string {
    return this.#traced ? `trace.push(${step}); ${statements} trace.pop();` : statements
  }

  #function(body: string): string {
    const name = `f${this.#names++}`
    this.#functions.push(`function ${name}(w, v, d) { ${body} }`)
    return name
  }

  #value(value: unknown): string {
    return `x${this.values.push(value) - 1}`
  }
}

/** What a record inherits from Object must not be taken for a field that is missing. */
const member = (name: string): string => {
  const key = JSON.stringify(name)
  return name in Object.prototype ? `(Object.hasOwn(v, ${key}) ? v[${key}] : undefined)` : `v[${key}]`
}

const strictLong =
  ({ long }: FixedOptions) =>
  (value: unknown): number | bigint =>
    typeof value === long ? longOf(value) : refuse(`long as a ${long}`, value)

/** A test of `v` that only one branch of a plain union passes: unionShape has seen to it. */
function takes(schema: Schema): string {
  switch (schema.kind) {
    case 'boolean':
      return 'typeof v === "boolean"'
    case 'string':
    case 'enum':
      return 'typeof v === "string"'
    case 'array':
      return 'Array.isArray(v)'
    case 'record':
    case 'map':
      return schema.kind === 'map' ? '(isMembers(v) || v instanceof Map)' : 'isMembers(v)'
    case 'bytes':
    case 'fixed':
      if (schema.logicalType?.name === 'uuid') return 'typeof v === "string"'
      return schema.logicalType === undefined ? 'v instanceof Uint8Array' : object
    default:
      return schema.kind !== 'union' && schema.logicalType !== undefined
        ? `(typeof v === "number" || typeof v === "bigint" || ${object})`
        : number
  }
}

const number = '(typeof v === "number" || typeof v === "bigint")'
const object = '(typeof v === "object" && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array))'

function typeOf(value: unknown): string {
  const type = typeof value === 'object' && value !== null ? (value as { $type?: unknown }).$type : undefined
  return typeof type === 'string' ? `$type ${describe(type)}` : describe(value)
}
