/**
 * Confluent's `normalize=true`: rewrites a schema so that texts that differ only in the order of properties, in the order of aliases
 * or in the spelling of a default become one. What it changes beyond that is Confluent's too: an `error` becomes a `record`,
 * an empty doc of a named type goes, and so does the default of a union that is not one of its first branch.
 */
import { canonicalText } from './canonical.ts'
import { isIntegerText, isJsonArray, isJsonNumber, isJsonObject, printDouble } from './json-text.ts'
import type { Field, Json, LogicalType, NamedSchema, Schema } from './schema.ts'
import { namespaceOf } from './schema.ts'
import type { Building } from './schema-reader.ts'

/** The canonical text of the normalised schema; `references` as in canonicalText. */
export function normalizedText(schema: Schema, references: readonly Schema[] = []): string {
  return canonicalText(normalize(schema, new Map()), references)
}

function normalize(schema: Schema, done: Map<Schema, Schema>): Schema {
  const known = done.get(schema)
  if (known !== undefined) return known
  if (schema.kind === 'union') return { kind: 'union', branches: schema.branches.map(branch => normalize(branch, done)) }
  const properties = sortProperties(schema.properties, schema.logicalType)
  if (schema.kind === 'array') return { ...schema, items: normalize(schema.items, done), properties }
  if (schema.kind === 'map') return { ...schema, values: normalize(schema.values, done), properties }
  if (schema.kind !== 'record' && schema.kind !== 'enum' && schema.kind !== 'fixed') return { ...schema, properties }
  const { doc, ...rest } = schema
  const named: Building<NamedSchema> = { ...rest, ...(doc ? { doc } : {}), aliases: sortAliases(schema), properties }
  done.set(schema, named)
  if (named.kind === 'record') {
    named.isError = false
    named.fields = named.fields.map(field => normalizeField(field, done))
  }
  return named
}

function normalizeField(field: Field, done: Map<Schema, Schema>): Field {
  const { default: value, ...rest } = field
  const respelled = value === undefined ? undefined : respell(value, field.type)
  return {
    ...rest,
    ...(respelled === undefined ? {} : { default: respelled }),
    aliases: [...field.aliases].sort(),
    type: normalize(field.type, done),
    properties: sortProperties(field.properties, undefined)
  }
}

/** Java sorts an alias without namespace as `.name`. */
function sortAliases(schema: NamedSchema): readonly string[] {
  const key = (alias: string): string => (namespaceOf(alias) === '' && namespaceOf(schema.name) !== '' ? `.${alias}` : alias)
  return [...schema.aliases].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** A known logical type comes first, with its attributes; the rest by key. */
function sortProperties(properties: ReadonlyMap<string, Json>, logicalType: LogicalType | undefined): ReadonlyMap<string, Json> {
  const sorted = new Map<string, Json>()
  if (logicalType !== undefined) {
    sorted.set('logicalType', logicalType.name)
    if (logicalType.name === 'decimal') {
      sorted.set('precision', { text: String(logicalType.precision) })
      if (logicalType.scale !== 0) sorted.set('scale', { text: String(logicalType.scale) })
    }
  }
  for (const key of [...properties.keys()].sort()) sorted.set(key, sortKeys(properties.get(key)!))
  return sorted
}

function sortKeys(value: Json): Json {
  if (isJsonArray(value)) return value.map(sortKeys)
  if (!isJsonObject(value)) return value
  return new Map([...value.keys()].sort().map(key => [key, sortKeys(value.get(key)!)]))
}

/** The default as Java reads it with its type and writes it again; undefined where that reading has no value. */
function respell(value: Json, type: Schema): Json | undefined {
  if (type.kind === 'union') return type.branches.length === 0 ? undefined : respell(value, type.branches[0]!)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return respellText(value, type)
  if (isJsonNumber(value)) return respellNumber(value.text, type)
  if (isJsonArray(value)) return value.map(item => (type.kind === 'array' ? (respell(item, type.items) ?? item) : sortKeys(item)))
  const object = value as ReadonlyMap<string, Json>
  return new Map([...object.keys()].sort().map(key => [key, respellMember(object.get(key)!, key, type)]))
}

function respellMember(value: Json, key: string, type: Schema): Json {
  const inner =
    type.kind === 'map' ? type.values : type.kind === 'record' ? type.fields.find(field => field.name === key)?.type : undefined
  return (inner === undefined ? undefined : respell(value, inner)) ?? sortKeys(value)
}

function respellText(value: string, type: Schema): Json | undefined {
  if (type.kind === 'string' || type.kind === 'enum') return value
  // Bytes are written one per character; a character beyond them is lost as in Java.
  const bytes = (): string => Array.from(value, char => (char.codePointAt(0)! > 0xff ? '?' : char)).join('')
  return type.kind === 'bytes' || type.kind === 'fixed' ? bytes() : undefined
}

function respellNumber(text: string, type: Schema): Json | undefined {
  if (type.kind === 'double') return { text: spellDouble(Number(text)) }
  if (type.kind === 'float') return { text: spellFloat(Math.fround(Number(text))) }
  if (!isIntegerText(text) || (type.kind !== 'int' && type.kind !== 'long')) return undefined
  return { text: BigInt(text).toString() }
}

const spellDouble = (value: number): string => (Number.isFinite(value) ? printDouble(value) : String(value))

/** The fewest digits that still name this 32-bit number. */
function spellFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return spellDouble(short)
  }
  return spellDouble(value)
}
