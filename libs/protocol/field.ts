/**
 * One field of a Kafka message, as a value: its wire type, the versions that carry it, and what stands in when it is absent.
 * The order of a struct's keys is the order on the wire (Kafka's message definitions; KIP-482 for tagged fields).
 */

export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'batches'
  | 'array'
  | 'struct'

export type Fields = { readonly [name: string]: AnyField }
// biome-ignore lint/suspicious/noExplicitAny: a field of whatever type; its type is read back with TypeOf.
export type AnyField = Field<any>
export type TypeOf<F> = F extends Field<infer T> ? T : never
export type MessageOf<F extends Fields> = { -readonly [K in keyof F]: TypeOf<F[K]> }

/** Larger than any version: "from this version on" without an end, or "at no version". */
export const NO_VERSION = 32_767

interface Shape {
  readonly kind: Kind
  /** What a reader sees at a version that does not carry the field, and what a tagged field that is left out means. */
  readonly fallback: unknown
  /** The fields of a struct or of an array of structs, or the element of an array. */
  readonly of: Fields | AnyField | undefined
  readonly since: number
  readonly until: number
  readonly nullableSince: number
  /** -1 for a field that travels in its place. */
  readonly tag: number
}

export class Field<T> {
  declare readonly type?: T
  readonly shape: Shape

  constructor(shape: Shape) {
    this.shape = shape
    // Every message that lacks the field shares this value.
    if (shape.kind === 'array' || shape.kind === 'batches' || shape.kind === 'struct') Object.freeze(shape.fallback)
  }

  /** Carried from version v on (Kafka writes "v+"). */
  from(v: number): Field<T> {
    return new Field({ ...this.shape, since: v })
  }

  /** Carried up to and including version v (Kafka writes "0-v"). */
  upTo(v: number): Field<T> {
    return new Field({ ...this.shape, until: v })
  }

  /** May be null from version v on. */
  nullable(v = 0): Field<T | null> {
    return new Field({ ...this.shape, nullableSince: v })
  }

  /** Travels in the tagged section under this tag, and only when it differs from its default. */
  tagged(tag: number): Field<T> {
    return new Field({ ...this.shape, tag })
  }

  default(value: T): Field<T> {
    return new Field({ ...this.shape, fallback: value })
  }
}

function field<T>(kind: Kind, fallback: T, of?: Fields | AnyField): Field<T> {
  return new Field<T>({ kind, fallback, of, since: 0, until: NO_VERSION, nullableSince: NO_VERSION, tag: -1 })
}

const NOTHING = Buffer.alloc(0)
/** The uuid that stands for none. */
export const ZERO_UUID = '0'.repeat(32)

export const bool = field('bool', false as boolean)
export const int8 = field('int8', 0 as number)
export const int16 = field('int16', 0 as number)
export const uint16 = field('uint16', 0 as number)
export const int32 = field('int32', 0 as number)
export const uint32 = field('uint32', 0 as number)
export const int64 = field('int64', 0n as bigint)
export const float64 = field('float64', 0 as number)
/** 32 hex digits without dashes. */
export const uuid = field('uuid', ZERO_UUID as string)
export const string = field('string', '' as string)
/** Decoded as a slice of the frame. */
export const bytes = field<Buffer>('bytes', NOTHING)
/** Kafka's `records` as they come in: one slice of the frame, not copied. */
export const records = field<Buffer>('records', NOTHING)
/** Kafka's `records` as they go out: several buffers in a row, put into the answer as they are. Decoded as one slice. */
export const batches = field<readonly Buffer[]>('batches', [])

export function struct<F extends Fields>(fields: F): Field<MessageOf<F>> {
  const fallback = Object.fromEntries(Object.entries(fields).map(([name, { shape }]) => [name, shape.fallback]))
  return field<MessageOf<F>>('struct', fallback as MessageOf<F>, fields)
}

export function array<F extends Fields>(of: F): Field<MessageOf<F>[]>
export function array<T>(of: Field<T>): Field<T[]>
export function array(of: Fields | AnyField): Field<unknown[]> {
  return field<unknown[]>('array', [], of)
}
