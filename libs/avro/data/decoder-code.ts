/**
 * Compiles a plan into JavaScript that makes the reader's values from the writer's bytes. What the values look like, in a program or
 * in JSON, is the mapping's business. Names of a schema are in the code only as string literals.
 */
import type { EnumSchema, Schema, UnionSchema } from '../schema.ts'
import { branchName } from '../schema.ts'
import { BinaryReader } from './binary.ts'
import { DecodeFault, Refusal } from './faults.ts'
import { type Step as PlaceStep, printPlace } from './place.ts'
import { type Plan, planOf, type RecordPlan, type ScalarSchema } from './resolution.ts'
import { validatorFor } from './validate.ts'

/** What a decoder makes of what it reads. Conversions may throw Refusal. */
export interface Mapping {
  /** From what the reader's base type reads as; undefined when that is it. A long is a number where it is exact, else a bigint. */
  scalar(schema: ScalarSchema): ((raw: never) => unknown) | undefined
  /** What becomes of a value of a branch: nothing, a record that says its name, or anything else. */
  branch(union: UnionSchema, index: number): undefined | 'tagged' | ((value: unknown) => unknown)
}

/** `bytes` must be one value of the writer's schema; if not, or if the reader cannot hold it, throws DecodeFault. */
export type Decode = (bytes: Uint8Array) => unknown

/** Parses nothing and compiles nothing until the first call. */
export function compileDecoder(writer: Schema, reader: Schema, mapping: Mapping): Decode {
  let decode: ((bytes: Buffer) => unknown) | undefined
  return given => {
    const bytes = Buffer.isBuffer(given) ? given : Buffer.from(given.buffer, given.byteOffset, given.length)
    const fault = validatorFor(writer)(bytes, 0, bytes.length)
    if (fault !== undefined) throw new DecodeFault(fault.path, fault.reason)
    try {
      decode ??= compile(planOf(writer, reader), mapping, undefined)
      return decode(bytes)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      throw new DecodeFault(placeOf(bytes, writer, reader, mapping), error.reason)
    }
  }
}

/** Decodes once more with code that notes where it is. */
function placeOf(bytes: Buffer, writer: Schema, reader: Schema, mapping: Mapping): string {
  const steps: PlaceStep[] = []
  try {
    compile(planOf(writer, reader), mapping, steps)(bytes)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
  return printPlace(steps)
}

/** `trace`, when given, holds the place of what is being read. */
function compile(plan: Plan, mapping: Mapping, trace: PlaceStep[] | undefined): (bytes: Buffer) => unknown {
  const code = new DecoderCode(mapping, trace !== undefined)
  const source = code.render(plan)
  const make = new Function('Reader', 'refuse', 'trace', 'values', source)
  return make(BinaryReader, refuse, trace, code.values) as (bytes: Buffer) => unknown
}

function refuse(reason: string): never {
  throw new Refusal(reason)
}

class DecoderCode {
  /** What the code refers to by its index. */
  readonly values: unknown[] = []
  readonly #indexes = new Map<unknown, string>()
  readonly #mapping: Mapping
  readonly #traced: boolean
  readonly #records = new Map<RecordPlan, Map<string, string>>()
  readonly #skips = new Map<Schema, string>()
  readonly #functions: string[] = []
  #names = 0

  constructor(mapping: Mapping, traced: boolean) {
    this.#mapping = mapping
    this.#traced = traced
  }

  render(plan: Plan): string {
    const root = this.#expression(plan)
    const constants = this.values.map((_value, index) => `const x${index} = values[${index}];`).join('\n')
    return `"use strict";\n${constants}\n${this.#functions.join('\n')}\nreturn bytes => { const r = new Reader(bytes); return ${root} }`
  }

  /** An expression that reads a value from `r`. */
  #expression(plan: Plan): string {
    switch (plan.op) {
      case 'scalar':
        return this.#scalar(plan.writer, plan.reader)
      case 'enum':
        return this.#enum(plan.symbols, plan.writer, plan.reader)
      case 'array':
        return this.#array(plan.items)
      case 'map':
        return this.#map(plan.values)
      case 'record':
        return `${this.#record(plan, '')}(r)`
      case 'choice': {
        const cases = plan.branches.map((branch, index) => `case ${index}: return ${this.#expression(branch)};`)
        return `${this.#function('r', `switch (r.int()) { ${cases.join(' ')} }`)}(r)`
      }
      case 'branch':
        return this.#branch(plan.union, plan.index, plan.plan)
      case 'fail':
        return `refuse(${JSON.stringify(plan.reason)})`
    }
  }

  #scalar(writer: ScalarSchema, reader: ScalarSchema): string {
    const raw = rawExpression(writer, reader)
    const convert = this.#mapping.scalar(reader)
    if (convert === undefined) return raw
    return convert === (BigInt as unknown) ? `BigInt(${raw})` : `${this.#value(convert)}(${raw})`
  }

  #enum(symbols: readonly (string | undefined)[], writer: EnumSchema, reader: EnumSchema): string {
    const table = this.#value(symbols)
    if (symbols.every(symbol => symbol !== undefined)) return `${table}[r.int()]`
    const unknown = (index: number): never =>
      refuse(`${writer.symbols[index]} is no symbol of the reader's ${reader.name}, which has no default`)
    return `${this.#function('r', `const i = r.int(); return ${table}[i] ?? ${this.#value(unknown)}(i)`)}(r)`
  }

  #array(items: Plan): string {
    const [before, after] = this.#traced ? ['trace.push(out.length);', 'trace.pop();'] : ['', '']
    const item = `${before} const item = ${this.#expression(items)}; ${after} out.push(item);`
    return `${this.#function('r', `const out = []; ${blocks(item)} return out`)}(r)`
  }

  #map(values: Plan): string {
    const [before, after] = this.#traced ? ['trace.push(key);', 'trace.pop();'] : ['', '']
    const item = `const key = r.string(); ${before} out[key] = ${this.#expression(values)}; ${after}`
    return `${this.#function('r', `const out = Object.create(null); ${blocks(item)} return out`)}(r)`
  }

  #branch(union: UnionSchema, index: number, plan: Plan): string {
    const wrap = this.#mapping.branch(union, index)
    if (wrap === undefined) return this.#expression(plan)
    if (wrap !== 'tagged') return `${this.#value(wrap)}(${this.#expression(plan)})`
    return plan.op === 'record' ? `${this.#record(plan, branchName(union.branches[index]!))}(r)` : this.#expression(plan)
  }

  /** The name of the function that reads a record; with a tag, the value says its name in `$type`. */
  #record(plan: RecordPlan, tag: string): string {
    const byTag = this.#records.get(plan) ?? new Map<string, string>()
    this.#records.set(plan, byTag)
    const known = byTag.get(tag)
    if (known !== undefined) return known
    const name = `f${this.#names++}`
    byTag.set(tag, name)

    const statements: string[] = []
    const slots = new Map<unknown, string>()
    for (const [index, step] of plan.steps.entries()) {
      if ('skip' in step) {
        statements.push(this.#skip(step.skip))
        continue
      }
      slots.set(step.field, `a${index}`)
      statements.push(this.#at(step.field.name, `const a${index} = ${this.#expression(step.plan)};`))
    }
    for (const [index, { field, filled, plan: own }] of plan.missing.entries()) {
      slots.set(field, `d${index}`)
      const fill = this.#function('r', `return ${this.#expression(own)}`)
      const reading = `r.fill(${filled.values}, ${this.#value(filled.bytes)})`
      statements.push(this.#at(field.name, `const d${index} = ${fill}(${reading});`))
    }
    const tagged = tag === '' ? [] : [`$type: ${JSON.stringify(tag)}`]
    const members = plan.reader.fields.map(field => `${memberKey(field.name)}: ${slots.get(field)}`)
    this.#functions.push(`function ${name}(r) { ${statements.join('\n')} return { ${[...tagged, ...members].join(', ')} } }`)
    return name
  }

  #at(name: string, statement: string): string {
    return this.#traced ? `trace.push(${JSON.stringify(name)}); ${statement} trace.pop();` : statement
  }

  /** A statement that passes over a value of the writer. */
  #skip(schema: Schema): string {
    switch (schema.kind) {
      case 'null':
        return ''
      case 'boolean':
        return 'r.skip(1);'
      case 'int':
      case 'long':
      case 'enum':
        return 'r.long();'
      case 'float':
        return 'r.skip(4);'
      case 'double':
        return 'r.skip(8);'
      case 'fixed':
        return `r.skip(${schema.size});`
      case 'bytes':
      case 'string':
        return 'r.skipSized();'
      default:
        return `${this.#skipFunction(schema)}(r);`
    }
  }

  #skipFunction(schema: Extract<Schema, { kind: 'record' | 'array' | 'map' | 'union' }>): string {
    const known = this.#skips.get(schema)
    if (known !== undefined) return known
    const name = `s${this.#names++}`
    this.#skips.set(schema, name)
    const body = (): string => {
      switch (schema.kind) {
        case 'record':
          return schema.fields.map(field => this.#skip(field.type)).join(' ')
        case 'array':
          return blocks(this.#skip(schema.items))
        case 'map':
          return blocks(`r.skipSized(); ${this.#skip(schema.values)}`)
        case 'union':
          return `switch (r.int()) { ${schema.branches.map((branch, index) => `case ${index}: ${this.#skip(branch)} break;`).join(' ')} }`
      }
    }
    this.#functions.push(`function ${name}(r) { ${body()} }`)
    return name
  }

  #function(parameter: string, body: string): string {
    const name = `f${this.#names++}`
    this.#functions.push(`function ${name}(${parameter}) { ${body} }`)
    return name
  }

  #value(value: unknown): string {
    const known = this.#indexes.get(value)
    if (known !== undefined) return known
    const name = `x${this.values.push(value) - 1}`
    this.#indexes.set(value, name)
    return name
  }
}

const blocks = (item: string): string => `for (let n = r.count(); n !== 0; n = r.count()) for (let i = 0; i < n; i++) { ${item} }`

/** In an object literal `"__proto__": x` would set the prototype; the computed key does not. */
const memberKey = (name: string): string => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name))

/** The reader's base value, promoted where the writer's type is another. */
function rawExpression({ kind: written, ...writer }: ScalarSchema, { kind: read }: ScalarSchema): string {
  switch (written) {
    case 'null':
      return 'null'
    case 'fixed':
      return `r.fixed(${(writer as { size: number }).size})`
    case 'int':
      return read === 'float' ? 'Math.fround(r.int())' : 'r.int()'
    case 'long':
      return read === 'long' ? 'r.long()' : read === 'float' ? 'Math.fround(Number(r.long()))' : 'Number(r.long())'
    case 'bytes':
      return read === 'string' ? 'r.bytesAsText()' : 'r.bytes()'
    case 'string':
      return read === 'bytes' ? 'r.bytes()' : 'r.string()'
    default:
      return `r.${written}()`
  }
}
