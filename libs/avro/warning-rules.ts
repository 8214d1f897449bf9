/**
 * What Avro's rules let through although data change their meaning, as data: one row per rule, in the style of the rules of compatibility.
 * A warning never makes two schemas incompatible.
 */
import type { ChangingSide } from './compatibility-rules.ts'
import { printJson } from './json-text.ts'
import { logicalTypeText, whyNoLogicalType } from './logical-types.ts'
import type { EnumSchema, Field, FixedSchema, Json, LogicalType, NamedSchema, Schema, UnionSchema } from './schema.ts'
import { branchName, namespaceOf, shortName } from './schema.ts'

export type WarningType =
  | 'LOGICAL_TYPE_CHANGED'
  | 'DECIMAL_CHANGED'
  | 'NAMESPACE_CHANGED'
  | 'LOGICAL_TYPE_IGNORED'
  | 'ENUM_DEFAULT_UNKNOWN'
  | 'FIXED_DEFAULT_LENGTH'

/** What a rule found. */
export interface Doubt {
  readonly reader: Schema
  /** The same as `reader` where a schema is looked at alone. */
  readonly writer: Schema
  /** The field whose default is meant, and the part of that default. */
  readonly field?: Field
  readonly value?: Json
}

export interface WarningRule {
  readonly id: WarningType
  readonly category: 'logical type' | 'name' | 'default'
  readonly says: string
  reason(doubt: Doubt): string
  mend(doubt: Doubt, changing: ChangingSide): string
}

export const warningRules: Readonly<Record<WarningType, WarningRule>> = {
  LOGICAL_TYPE_CHANGED: {
    id: 'LOGICAL_TYPE_CHANGED',
    category: 'logical type',
    says: 'Types that meet should have the same logical type: Avro reads the bare value, whatever it stands for.',
    reason: ({ reader, writer }) => `what was written as ${meaning(writer)} is read as ${meaning(reader)}, with no conversion`,
    mend: ({ reader, writer }, changing) => {
      const [keep, other] = changing === 'reader' ? [writer, reader] : [reader, writer]
      const logical = logicalTypeText(typed(keep))
      const first = logical === '' ? 'Leave the logical type away' : `Keep the logical type ${logical}`
      return `${first}, or put the ${meaning(other)} into a new field of another name.`
    }
  },
  DECIMAL_CHANGED: {
    id: 'DECIMAL_CHANGED',
    category: 'logical type',
    says: 'Decimals that meet should have the same precision and scale: only the digits are stored.',
    reason: ({ reader, writer }) => {
      const [own, other] = [decimalOf(reader), decimalOf(writer)]
      if (own.scale === other.scale) {
        return `the writer's numbers have up to ${other.precision} digits, the reader expects ${own.precision}`
      }
      return `the digits were written with scale ${other.scale} and are read with scale ${own.scale}: 1 becomes ${shifted(other.scale - own.scale)}`
    },
    mend: ({ reader, writer }, changing) => {
      const { precision, scale } = decimalOf(changing === 'reader' ? writer : reader)
      return `Keep "precision": ${precision} and "scale": ${scale}, or put the new decimal into a new field of another name.`
    }
  },
  NAMESPACE_CHANGED: {
    id: 'NAMESPACE_CHANGED',
    category: 'name',
    says: 'Named types that meet should have the same full name: Java compares the short names only, other implementations do not.',
    reason: ({ reader, writer }) =>
      `the writer's ${writer.kind} is ${named(writer).name}, the reader's ${named(reader).name}; only the short name ${shortName(named(reader).name)} is the same`,
    mend: ({ reader, writer }, changing) => {
      const [own, other] = [named(reader).name, named(writer).name]
      if (changing === 'writer') return `Keep the name ${own}: programs that compare full names do not find their type otherwise.`
      const alias = namespaceOf(other) === '' ? '' : `, or add "aliases": ["${other}"] to ${own}`
      return `Keep the name ${other}${alias}.`
    }
  },
  LOGICAL_TYPE_IGNORED: {
    id: 'LOGICAL_TYPE_IGNORED',
    category: 'logical type',
    says: 'A logical type must fit the type that carries it, and its attributes must be possible; else it counts for nothing.',
    reason: ({ reader }) => `the logical type ${attribute(reader)} is ignored: ${whyNoLogicalType(typed(reader))?.reason}`,
    mend: ({ reader }) => whyNoLogicalType(typed(reader))!.mend
  },
  ENUM_DEFAULT_UNKNOWN: {
    id: 'ENUM_DEFAULT_UNKNOWN',
    category: 'default',
    says: 'The default of an enum field should be one of the symbols: reading fails when it is needed.',
    reason: ({ reader, field, value }) =>
      `the default of ${field!.name} holds ${excerpt(value!)}, which is no symbol of ${named(reader).name}`,
    mend: ({ reader, value }) => {
      const { symbols, name } = reader as EnumSchema
      const listed = symbols.slice(0, 10).join(', ')
      return symbols.length === 0
        ? `Give ${name} symbols.`
        : `Write one of ${listed}${symbols.length > 10 ? ', ...' : ''}, or add ${excerpt(value!)} to the symbols of ${name}.`
    }
  },
  FIXED_DEFAULT_LENGTH: {
    id: 'FIXED_DEFAULT_LENGTH',
    category: 'default',
    says: 'The default of a fixed field should have one character from \\u0000 to \\u00ff for each byte.',
    reason: ({ reader, field, value }) => {
      const { name, size } = reader as FixedSchema
      const text = value as string
      return text.length === size
        ? `the default of ${field!.name} holds characters beyond \\u00ff, and ${name} has one byte for each`
        : `the default of ${field!.name} has ${text.length} characters, and ${name} has ${size} bytes`
    },
    mend: ({ reader }) => `Write a default of ${(reader as FixedSchema).size} characters, each from \\u0000 to \\u00ff.`
  }
}

const typed = (schema: Schema): Exclude<Schema, UnionSchema> => schema as Exclude<Schema, UnionSchema>
const named = (schema: Schema): NamedSchema => schema as NamedSchema
const attribute = (schema: Schema): string => excerpt(typed(schema).properties.get('logicalType') ?? null)

/** `date`, or `plain int` where there is no logical type. */
const meaning = (schema: Schema): string => logicalTypeText(typed(schema)) || `plain ${branchName(schema)}`

const decimalOf = (schema: Schema): LogicalType & { name: 'decimal' } =>
  typed(schema).logicalType as LogicalType & { name: 'decimal' }

/** 1, as it is read when the point stands elsewhere; the exponent when there are many zeros. */
function shifted(places: number): string {
  if (Math.abs(places) > 6) return `1e${places}`
  return places < 0 ? `0.${'0'.repeat(-places - 1)}1` : `1${'0'.repeat(places)}`
}

function excerpt(value: Json): string {
  const text = printJson(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
