/**
 * Schemas as TypeScript type expressions: what a reader gets, and what a writer may give, which is wider where it can be without loss.
 * The values behind these types are made by the codecs of @assay/avro; unions follow the same rule here and there.
 */
import { branchName, type NamedSchema, type Schema, type UnionSchema, unionShape } from '@assay/avro'
import { literal } from './text.ts'

export interface TypeOptions {
  /** What a long is to a reader: exact, or a number that must be safe. */
  readonly long: 'bigint' | 'number'
  /** What dates and times are to a reader. */
  readonly time: 'temporal' | 'date' | 'raw'
}

/** What a reader gets, or what a writer may give. */
export type Side = 'read' | 'init'

export interface TypeScope {
  readonly options: TypeOptions
  /** The name of a named type in the file at hand. */
  nameOf(schema: NamedSchema, side: Side): string
  /** Notes that the file needs a type of the run-time package; returns its name. */
  uses(name: 'Decimal' | 'Duration' | 'Tagged' | 'Boxed'): string
}

/** The type of a value of `schema`; a named type is its name. */
export function typeText(schema: Schema, side: Side, scope: TypeScope): string {
  switch (schema.kind) {
    case 'record':
    case 'enum':
    case 'fixed':
      return scope.nameOf(schema, side)
    case 'array':
      return `ReadonlyArray<${typeText(schema.items, side, scope)}>`
    case 'map': {
      const values = typeText(schema.values, side, scope)
      const object = `{ readonly [key: string]: ${values} }`
      return side === 'init' ? `${object} | ReadonlyMap<string, ${values}>` : object
    }
    case 'union':
      return unionText(schema, side, scope)
    default:
      return unnamedText(schema, side, scope)
  }
}

/** The type of a primitive or of a fixed without its name. */
export function unnamedText(schema: Exclude<Schema, UnionSchema>, side: Side, scope: TypeScope): string {
  const logical = logicalText(schema, side, scope)
  if (logical !== undefined) return logical
  switch (schema.kind) {
    case 'int':
    case 'float':
    case 'double':
      return 'number'
    case 'long':
      return longText(side, scope.options)
    case 'bytes':
      return 'Uint8Array'
    case 'fixed':
      return side === 'read' ? `Uint8Array & { readonly length: ${schema.size} }` : 'Uint8Array'
    default:
      return schema.kind
  }
}

const longText = (side: Side, { long }: TypeOptions): string => (side === 'init' ? 'bigint | number' : long)

function logicalText({ kind, ...schema }: Exclude<Schema, UnionSchema>, side: Side, scope: TypeScope): string | undefined {
  const raw = kind === 'int' ? 'number' : longText(side, scope.options)
  const { time } = scope.options
  switch (schema.logicalType?.name) {
    case 'decimal':
    case 'big-decimal':
      return side === 'init' ? `${scope.uses('Decimal')} | string | bigint` : scope.uses('Decimal')
    case 'uuid':
      return 'string'
    case 'duration':
      return scope.uses('Duration')
    case 'date':
      return timeText(time === 'temporal' ? 'Temporal.PlainDate' : time === 'date' ? 'Date' : raw, raw, side)
    case 'time-millis':
    case 'time-micros':
      return timeText(time === 'temporal' ? 'Temporal.PlainTime' : raw, raw, side)
    case 'timestamp-millis':
      return timeText(time === 'temporal' ? 'Temporal.Instant' : time === 'date' ? 'Date' : raw, raw, side, 'Date')
    case 'timestamp-micros':
    case 'timestamp-nanos':
      // A Date has no room for microseconds.
      return timeText(time === 'temporal' ? 'Temporal.Instant' : raw, raw, side, 'Date')
    case 'local-timestamp-millis':
    case 'local-timestamp-micros':
    case 'local-timestamp-nanos':
      return timeText(time === 'temporal' ? 'Temporal.PlainDateTime' : raw, raw, side)
    default:
      return undefined
  }
}

function timeText(read: string, raw: string, side: Side, also?: string): string {
  if (side === 'read') return read
  return [...new Set([read, ...(also === undefined ? [] : [also]), ...raw.split(' | ')])].join(' | ')
}

/** Plain branches stand as they are, records are told apart by `$type`, what JavaScript cannot tell apart is boxed. */
function unionText(union: UnionSchema, side: Side, scope: TypeScope): string {
  const shape = unionShape(union)
  const isPlainChoice = shape !== 'boxed' && union.branches.filter(({ kind }) => kind !== 'null').length > 1
  const branches = union.branches.map(branch => {
    // Where several branches could be meant, a text is no decimal and a Date no instant.
    const narrow = isPlainChoice && 'logicalType' in branch && branch.logicalType !== undefined
    const text = typeText(branch, narrow ? 'read' : side, scope)
    const name = literal(branchName(branch))
    if (branch.kind === 'null' || shape === 'plain') return text
    if (shape === 'tagged') return branch.kind === 'record' ? `${scope.uses('Tagged')}<${name}, ${text}>` : text
    return `${scope.uses('Boxed')}<${name}, ${text}>`
  })
  // null reads best at the end.
  const ordered = [...branches.filter(text => text !== 'null'), ...branches.filter(text => text === 'null')]
  return ordered.length === 0 ? 'never' : [...new Set(ordered)].join(' | ')
}
