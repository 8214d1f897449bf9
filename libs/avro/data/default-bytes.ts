/**
 * Defaults of a schema in Avro's binary encoding: what a writer leaves out and what a reader misses are filled in from the same bytes.
 * Fields left out of a record's default get their own defaults, which can grow exponentially in the length of the schema, hence the bound.
 */
import { misfitOf } from '../defaults.ts'
import { isIntegerText, isJsonArray, isJsonNumber, isJsonObject } from '../json-text.ts'
import type { Field, Json, RecordSchema, Schema } from '../schema.ts'
import { BinaryWriter } from './binary.ts'
import { Refusal } from './faults.ts'
import { validatorFor } from './validate.ts'
import { DEPTH_MAX } from './validator-source.ts'
import { minWidths } from './width.ts'

/** Values in one default, nested ones included. */
const VALUES_MAX = 100_000

export interface EncodedDefault {
  /** Not to be changed. */
  readonly bytes: Buffer
  /** Values in it, nested ones included. */
  readonly values: number
  /** Records inside each other. */
  readonly depth: number
  /** Items of arrays that take no bytes. */
  readonly widthless: number
}

const encoded = new WeakMap<Field, EncodedDefault | Refusal>()

/** The default of a field that has one. Throws Refusal for a default that its type does not take. */
export function encodedDefault(field: Field): EncodedDefault {
  let known = encoded.get(field)
  if (known === undefined) {
    known = encode(field)
    encoded.set(field, known)
  }
  if (known instanceof Refusal) throw known
  return known
}

/** Writes the default of a field in a record that has `depth` records around and in it. Throws Refusal. */
export function writeDefault(writer: BinaryWriter, field: Field, depth: number): void {
  const filled = encodedDefault(field)
  if (depth + filled.depth > DEPTH_MAX) throw new Refusal(`records are nested deeper than ${DEPTH_MAX}`)
  writer.addWidthless(filled.widthless)
  writer.fixed(filled.bytes)
}

function encode(field: Field): EncodedDefault | Refusal {
  const binary = new BinaryWriter()
  const writer = new DefaultWriter(binary)
  try {
    writer.write(field.type, field.default!, 0)
    const { values, depth } = writer
    const { widthless } = binary
    const bytes = binary.finish()
    const fault = validatorFor(field.type)(bytes, 0, bytes.length)
    return fault === undefined
      ? { bytes, values, depth, widthless }
      : new Refusal(`the default cannot be written: ${fault.reason}`)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

class DefaultWriter {
  readonly #writer: BinaryWriter
  readonly #widths = minWidths()
  values = 0
  depth = 0

  constructor(writer: BinaryWriter) {
    this.#writer = writer
  }

  write(schema: Schema, json: Json, depth: number): void {
    if (++this.values > VALUES_MAX) throw new Refusal(`the default holds more than ${VALUES_MAX} values`)
    const writer = this.#writer
    switch (schema.kind) {
      case 'null':
        return
      case 'boolean':
        writer.boolean(json === true)
        return
      case 'int':
      case 'long':
        writer.long(integerOf(json, schema.kind))
        return
      case 'float':
        writer.float(numberOf(json))
        return
      case 'double':
        writer.double(numberOf(json))
        return
      case 'string':
        writer.string(textOf(json))
        return
      case 'bytes':
        writer.bytes(latin1Of(json))
        return
      case 'fixed': {
        const bytes = latin1Of(json)
        if (bytes.length !== schema.size)
          throw new Refusal(`the default of ${schema.name} has ${bytes.length} bytes, not ${schema.size}`)
        writer.fixed(bytes)
        return
      }
      case 'enum': {
        const index = schema.symbols.indexOf(textOf(json))
        if (index < 0) throw new Refusal(`the default of ${schema.name} is none of its symbols`)
        writer.int(index)
        return
      }
      case 'union': {
        // Java takes the first branch that the default fits.
        const index = schema.branches.findIndex(branch => misfitOf(branch, json) === undefined)
        if (index < 0) throw new Refusal('the default fits no branch of its union')
        writer.int(index)
        this.write(schema.branches[index]!, json, depth)
        return
      }
      case 'array': {
        const items = isJsonArray(json) ? json : []
        if (items.length > 0 && this.#widths.of(schema.items) === 0)
          writer.addWidthless(items.length * this.#widths.weightOf(schema.items))
        if (items.length > 0) writer.int(items.length)
        for (const item of items) this.write(schema.items, item, depth)
        writer.int(0)
        return
      }
      case 'map': {
        const entries = isJsonObject(json) ? json : new Map<string, Json>()
        if (entries.size > 0) writer.int(entries.size)
        for (const [key, value] of entries) {
          writer.string(key)
          this.write(schema.values, value, depth)
        }
        writer.int(0)
        return
      }
      case 'record':
        this.#record(schema, json, depth)
    }
  }

  #record(schema: RecordSchema, json: Json, depth: number): void {
    if (depth >= DEPTH_MAX) throw new Refusal(`the default has records nested deeper than ${DEPTH_MAX}`)
    this.depth = Math.max(this.depth, depth + 1)
    const given = isJsonObject(json) ? json : new Map<string, Json>()
    for (const field of schema.fields) {
      const value = given.get(field.name) ?? (given.has(field.name) ? null : field.default)
      if (value === undefined) throw new Refusal(`the default of ${schema.name} lacks the field ${field.name}`)
      this.write(field.type, value, depth + 1)
    }
  }
}

function integerOf(json: Json, kind: 'int' | 'long'): bigint {
  if (!isJsonNumber(json) || !isIntegerText(json.text)) throw new Refusal(`the default is no ${kind}`)
  const value = BigInt(json.text)
  if (value !== BigInt.asIntN(kind === 'int' ? 32 : 64, value)) throw new Refusal(`the default is outside the range of ${kind}`)
  return value
}

function numberOf(json: Json): number {
  if (!isJsonNumber(json)) throw new Refusal('the default is no number')
  return Number(json.text)
}

function textOf(json: Json): string {
  if (typeof json !== 'string') throw new Refusal('the default is no text')
  return json
}

/** Bytes are written in JSON as a text of characters up to U+00FF. */
function latin1Of(json: Json): Buffer {
  const text = textOf(json)
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0xff) throw new Refusal('the default has a character beyond U+00FF, which is no byte')
  }
  return Buffer.from(text, 'latin1')
}
