/**
 * Numbers for types: two types of equal number are built alike, down to the last field, so the one reads what the other wrote and
 * nothing about it is worth a warning. A registry compares one candidate with hundreds of versions that share nearly every field;
 * with these numbers that is a loop over integers. Number 0 belongs to types that have none and says nothing.
 */
import { hash } from 'node:crypto'
import { logicalTypeText } from './logical-types.ts'
import type { EnumSchema, Field, PrimitiveKind, PrimitiveSchema, RecordSchema, Schema, UnionSchema } from './schema.ts'

export interface RecordOutline {
  /** 0 for a record that can reach itself or a field with aliases: with those, Java does not always read what it wrote. */
  readonly typeId: number
  /** One number for name and type of each field; 0 where the type has none or the field has aliases. */
  readonly fieldIds: readonly number[]
  /** Every field behind this index has a default and no alias: a writer may lack it. */
  readonly lastNeeded: number
}

const outlines = new WeakMap<RecordSchema, RecordOutline>()
/** Of types whose key takes long to build. */
const bulky = new WeakMap<EnumSchema | UnionSchema, number>()
const bulkyFrom = 16
/** Deeper types get no number. A schema walked from its root stays far below. */
const depthMax = 256

export const outlineOf = (record: RecordSchema): RecordOutline => outlines.get(record) ?? outline(record, new Set(), 0)

export const typeIdOf = (schema: Schema): number => identify(schema, new Set(), 0)

function outline(record: RecordSchema, open: Set<RecordSchema>, depth: number): RecordOutline {
  open.add(record)
  const fieldIds: number[] = []
  for (const field of record.fields) fieldIds.push(fieldId(field, open, depth + 1))
  open.delete(record)
  const made = {
    typeId: fieldIds.includes(0) ? 0 : interned(`r${record.name}:${fieldIds.join()}${suffix(record)}`),
    fieldIds,
    lastNeeded: record.fields.findLastIndex(field => field.default === undefined || field.aliases.length > 0)
  }
  outlines.set(record, made)
  return made
}

function fieldId(field: Field, open: Set<RecordSchema>, depth: number): number {
  const typeId = identify(field.type, open, depth)
  return typeId === 0 || field.aliases.length > 0 ? 0 : internedPair(interned(field.name), typeId)
}

function identify(schema: Schema, open: Set<RecordSchema>, depth: number): number {
  if (depth > depthMax) return 0
  switch (schema.kind) {
    case 'record': {
      const known = outlines.get(schema)
      if (known !== undefined) return known.typeId
      return open.has(schema) ? 0 : outline(schema, open, depth).typeId
    }
    case 'array': {
      const items = identify(schema.items, open, depth + 1)
      return items === 0 ? 0 : interned(`[${items}${suffix(schema)}`)
    }
    case 'map': {
      const values = identify(schema.values, open, depth + 1)
      return values === 0 ? 0 : interned(`{${values}${suffix(schema)}`)
    }
    case 'union':
      return schema.branches.length < bulkyFrom ? unionId(schema, open, depth) : once(schema, () => unionId(schema, open, depth))
    case 'enum':
      return schema.symbols.length < bulkyFrom ? enumId(schema) : once(schema, () => enumId(schema))
    case 'fixed':
      return interned(`f${schema.name}:${schema.size}${suffix(schema)}`)
    default:
      return schema.properties.size === 0 ? primitiveIds[schema.kind] : interned(`${schema.kind}${suffix(schema)}`)
  }
}

function unionId({ branches }: UnionSchema, open: Set<RecordSchema>, depth: number): number {
  const [first, second] = branches
  // Most unions are null and one primitive type.
  if (branches.length === 2 && isPlain(first!) && isPlain(second!)) {
    return pairIds[primitiveIds[first.kind] * (primitiveKinds.length + 1) + primitiveIds[second.kind]]!
  }
  const ids = branches.map(branch => identify(branch, open, depth + 1))
  return ids.includes(0) ? 0 : interned(`|${ids.join()}`)
}

const isPlain = (schema: Schema): schema is PrimitiveSchema =>
  (schema as PrimitiveSchema).properties?.size === 0 && schema.kind in primitiveIds

const enumId = (schema: EnumSchema): number => interned(`e${schema.name}:${schema.symbols.join()}${suffix(schema)}`)

function once(schema: EnumSchema | UnionSchema, number: () => number): number {
  const id = bulky.get(schema) ?? number()
  bulky.set(schema, id)
  return id
}

/** The only free text in a key, therefore quoted. */
function suffix(schema: Exclude<Schema, UnionSchema>): string {
  const text = (schema as PrimitiveSchema).properties.size === 0 ? '' : logicalTypeText(schema)
  return text === '' ? '' : `~${JSON.stringify(text)}`
}

/**
 * Two generations: a key in use moves to the younger one with its number, an unused one is forgotten, and should it come again it gets
 * another number, which costs a comparison and never a wrong answer.
 */
class Numbers<K> {
  #younger = new Map<K, number>()
  #older = new Map<K, number>()

  of(key: K): number {
    const known = this.#younger.get(key)
    if (known !== undefined) return known
    const number = this.#older.get(key) ?? ++last
    if (this.#younger.size >= generationMax) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(key, number)
    return number
  }
}

const generationMax = 32_768
const keyCharsMax = 256
const ofTexts = new Numbers<string>()
/** By the numbers of both in one: the concatenation of every field's name with a number is a text that has to be made and hashed. */
const ofPairs = new Numbers<number>()
const pairBase = 2 ** 26
let last = 0

/** What nearly every field is made of has its numbers from the beginning, and keeps them. */
const primitiveKinds: readonly PrimitiveKind[] = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const primitiveIds = Object.fromEntries(primitiveKinds.map(kind => [kind, ++last])) as Readonly<Record<PrimitiveKind, number>>
/** By the numbers of the first and the second branch. */
const pairIds: readonly number[] = Array.from({ length: (primitiveKinds.length + 1) ** 2 }, () => ++last)

const interned = (text: string): number => ofTexts.of(text.length > keyCharsMax ? hash('sha256', text, 'base64') : text)

/** 0 when there are no numbers left for it. */
const internedPair = (first: number, second: number): number =>
  first < pairBase && second < pairBase ? ofPairs.of(first * pairBase + second) : 0
