/**
 * The parsed form of an Avro schema (Avro 1.12 specification). A named type is one object wherever it is used,
 * so a recursive schema is a graph with circles: walk it with a visited set.
 */

/** A JSON value whose objects are Maps: key order kept, `__proto__` harmless, numbers in their own spelling. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>

/** A JSON number as written: `1.0` and `1` differ in canonical text, and a long default may exceed 2^53. */
export interface JsonNumber {
  readonly text: string
}

export type PrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

interface Annotated {
  /** The logical type when it is known and fits its base type (else it is only a property, as in Java). */
  readonly logicalType?: LogicalType
  /** Every attribute that the specification does not reserve, in the order of the text, which counts in canonical text: `logicalType`, `precision` and `scale` stand here too. */
  readonly properties: ReadonlyMap<string, Json>
}

export type LogicalType =
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number }
  | {
      readonly name:
        | 'big-decimal'
        | 'uuid'
        | 'date'
        | 'time-millis'
        | 'time-micros'
        | 'timestamp-millis'
        | 'timestamp-micros'
        | 'timestamp-nanos'
        | 'local-timestamp-millis'
        | 'local-timestamp-micros'
        | 'local-timestamp-nanos'
        | 'duration'
    }

export interface PrimitiveSchema extends Annotated {
  readonly kind: PrimitiveKind
}

interface Named extends Annotated {
  /** Full name: namespace, dot, short name; just the short name in the null namespace. */
  readonly name: string
  /** Full names. */
  readonly aliases: readonly string[]
  readonly doc?: string
}

export interface RecordSchema extends Named {
  readonly kind: 'record'
  /** `error` instead of `record` in the text. */
  readonly isError: boolean
  readonly fields: readonly Field[]
}

export interface Field {
  readonly name: string
  readonly aliases: readonly string[]
  readonly doc?: string
  readonly type: Schema
  /** Absent when the field has none; a null default is `null`. */
  readonly default?: Json
  readonly order: 'ascending' | 'descending' | 'ignore'
  readonly properties: ReadonlyMap<string, Json>
}

export interface EnumSchema extends Named {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  readonly default?: string
}

export interface FixedSchema extends Named {
  readonly kind: 'fixed'
  readonly size: number
}

export interface ArraySchema extends Annotated {
  readonly kind: 'array'
  readonly items: Schema
}

export interface MapSchema extends Annotated {
  readonly kind: 'map'
  readonly values: Schema
}

export interface UnionSchema {
  readonly kind: 'union'
  readonly branches: readonly Schema[]
}

export type NamedSchema = RecordSchema | EnumSchema | FixedSchema
export type Schema = PrimitiveSchema | NamedSchema | ArraySchema | MapSchema | UnionSchema

/** The part of a full name after its last dot. */
export const shortName = (fullName: string): string => fullName.slice(fullName.lastIndexOf('.') + 1)
/** The part of a full name before its last dot; empty in the null namespace. */
export const namespaceOf = (fullName: string): string => fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))

/** The name that a union or a JSON value uses for a branch: the full name of a named type, else the kind. */
export function branchName(schema: Schema): string {
  return schema.kind === 'record' || schema.kind === 'enum' || schema.kind === 'fixed' ? schema.name : schema.kind
}
