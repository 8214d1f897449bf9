/**
 * The ways in which a reader schema fails to read what a writer schema wrote, as data: one row per rule, with the sentence that explains it
 * and the one that mends it. The ids are those of Java's SchemaCompatibility, except AMBIGUOUS_ALIAS, where Java throws.
 */
import type { EnumSchema, Field, FixedSchema, NamedSchema, RecordSchema, Schema } from './schema.ts'
import { branchName } from './schema.ts'

export type IncompatibilityType =
  | 'NAME_MISMATCH'
  | 'FIXED_SIZE_MISMATCH'
  | 'MISSING_ENUM_SYMBOLS'
  | 'READER_FIELD_MISSING_DEFAULT_VALUE'
  | 'TYPE_MISMATCH'
  | 'MISSING_UNION_BRANCH'
  | 'AMBIGUOUS_ALIAS'

/** Which of the two schemas can still be changed: the mend speaks of that one. */
export type ChangingSide = 'reader' | 'writer'

/** What a rule found: the two types that meet, and the particulars that its sentences need. */
export interface Clash {
  readonly reader: Schema
  readonly writer: Schema
  readonly field?: Field
  /** The reader's record that has the field. */
  readonly owner?: RecordSchema
  readonly symbols?: readonly string[]
  /** What the reader's branch of the same name fails at. */
  readonly nested?: NestedClash
}

export interface NestedClash {
  readonly type: IncompatibilityType
  /** Within the branch; empty for the branch itself. */
  readonly place: string
  readonly clash: Clash
}

export interface CompatibilityRule {
  readonly id: IncompatibilityType
  readonly category: 'name' | 'type' | 'enum' | 'field' | 'union'
  readonly says: string
  reason(clash: Clash): string
  mend(clash: Clash, changing: ChangingSide): string
}

export const compatibilityRules: Readonly<Record<IncompatibilityType, CompatibilityRule>> = {
  NAME_MISMATCH: {
    id: 'NAME_MISMATCH',
    category: 'name',
    says: 'Named types that meet must have the same short name, or the reader must list the name of the writer as an alias.',
    reason: ({ reader, writer }) => `the writer's ${writer.kind} is named ${named(writer)}, the reader's ${named(reader)}`,
    mend: ({ reader, writer }, changing) =>
      changing === 'reader'
        ? `Keep the name ${named(writer)}.`
        : `Keep the name ${named(reader)}: those who read it know no other.`
  },
  FIXED_SIZE_MISMATCH: {
    id: 'FIXED_SIZE_MISMATCH',
    category: 'type',
    says: 'A fixed must have the same size on both sides.',
    reason: ({ reader, writer }) =>
      `the writer's ${named(writer)} has ${(writer as FixedSchema).size} bytes, the reader's ${(reader as FixedSchema).size}`,
    mend: ({ reader, writer }, changing) =>
      `Keep the size ${((changing === 'reader' ? writer : reader) as FixedSchema).size}, or put the new size into a new field of another name.`
  },
  MISSING_ENUM_SYMBOLS: {
    id: 'MISSING_ENUM_SYMBOLS',
    category: 'enum',
    says: 'A reader enum must know every symbol of the writer, or have a default symbol.',
    reason: ({ reader, symbols }) =>
      `the reader's ${named(reader)} does not know ${symbolList(symbols)} and has no default symbol`,
    mend: ({ reader, symbols }, changing) =>
      changing === 'reader'
        ? `Keep ${symbolList(symbols)}${enumDefaultHint(reader as EnumSchema)}.`
        : `Leave ${symbolList(symbols)} out until the reader knows them; an enum whose readers have a "default" symbol can grow at any time.`
  },
  READER_FIELD_MISSING_DEFAULT_VALUE: {
    id: 'READER_FIELD_MISSING_DEFAULT_VALUE',
    category: 'field',
    says: 'A field that the writer does not have needs a default in the reader.',
    reason: ({ writer, field }) =>
      `the reader's field ${field!.name} has no default, and the writer's ${named(writer)} has no such field`,
    mend: (clash, changing) =>
      changing === 'reader'
        ? `Give the field ${clash.field!.name} a default, or leave it out.`
        : `Keep the field ${clash.field!.name} in ${named(clash.writer)}: those who read it need it and have no default for it.`
  },
  TYPE_MISMATCH: {
    id: 'TYPE_MISMATCH',
    category: 'type',
    says: 'Types that meet must be the same, or the writer type must be one that Avro promotes to the reader type.',
    reason: ({ reader, writer, field }) =>
      field === undefined
        ? `${branchName(reader)} cannot read ${branchName(writer)}`
        : `the reader's field ${field.name} has no default, and the default symbol of its enum does not stand in for a field that ${named(writer)} lacks`,
    mend: mendType
  },
  MISSING_UNION_BRANCH: {
    id: 'MISSING_UNION_BRANCH',
    category: 'union',
    says: 'A reader union must have a branch for every type that the writer may write.',
    reason: ({ reader, writer, nested }) =>
      nested === undefined
        ? `the reader's union [${typeList(reader)}] has no branch for ${branchName(writer)}`
        : `no branch of the reader's union reads ${branchName(writer)}: ${compatibilityRules[nested.type].reason(nested.clash)}${placeIn(nested)}`,
    mend: ({ reader, writer, nested }, changing) => {
      if (nested !== undefined) {
        // More than that field may be wrong with the branch.
        if (nested.clash.field !== undefined && changing === 'reader') return `Keep ${branchName(writer)} as it was written.`
        return compatibilityRules[nested.type].mend(nested.clash, changing)
      }
      return changing === 'reader'
        ? `Add ${branchName(writer)} to the union as a branch.`
        : `Write only types of the union [${typeList(reader)}] until the readers know more.`
    }
  },
  AMBIGUOUS_ALIAS: {
    id: 'AMBIGUOUS_ALIAS',
    category: 'field',
    says: 'The name and aliases of a reader field must not match two fields of the writer.',
    reason: ({ writer, field }) =>
      `the name and aliases of the reader's field ${field!.name} match more than one field of ${named(writer)}`,
    mend: ({ writer, field }, changing) =>
      changing === 'reader'
        ? `Remove from the aliases of ${field!.name} the names that ${named(writer)} still has.`
        : `Keep only one of the fields ${[field!.name, ...field!.aliases].join(', ')} in ${named(writer)}.`
  }
}

const named = (schema: Schema): string => (schema as NamedSchema).name
const placeIn = ({ place }: NestedClash): string => (place === '' ? '' : ` (at ${place.replace(/^\./, '')} in the branch)`)
const symbolList = (symbols: readonly string[] = []): string => listed(symbols)
const typeList = (schema: Schema): string =>
  schema.kind === 'union' ? listed(schema.branches.map(branchName)) : branchName(schema)

/** The first ten, and how many more. */
export const listed = (items: readonly string[]): string =>
  items.length > 10 ? `${items.slice(0, 10).join(', ')} and ${items.length - 10} more` : items.join(', ')

function enumDefaultHint(reader: EnumSchema): string {
  return standInOf(reader) === undefined ? `, or add a symbol such as UNKNOWN and name it as the enum's "default"` : ''
}

/** A symbol that can stand for those that the enum does not know. */
export const standInOf = (reader: EnumSchema): string | undefined =>
  reader.symbols.find(name => /^(unknown|other|unspecified|none)$/i.test(name))

const promotions: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double']
}

function mendType(clash: Clash, changing: ChangingSide): string {
  if (clash.field !== undefined) return compatibilityRules.READER_FIELD_MISSING_DEFAULT_VALUE.mend(clash, changing)
  const { reader, writer } = clash
  const [keep, other] = changing === 'reader' ? [writer, reader] : [reader, writer]
  const wider = changing === 'reader' && promotions[reader.kind]?.includes(writer.kind)
  if (wider) return `Keep ${writer.kind}: it reads what was written as ${reader.kind}, too.`
  const both = branchName(keep) !== branchName(other) && keep.kind !== 'union' && other.kind !== 'union'
  if (changing === 'reader' && both) {
    const union = `the union ["${branchName(keep)}", "${branchName(other)}"], which reads both.`
    return keep.kind === 'null' ? `Make it ${union}` : `Keep ${branchName(keep)}, or make it ${union}`
  }
  return `Keep ${typeList(keep)}, or put ${typeList(other)} into a new field of another name.`
}
