/** What a generated module is made of: a schema with its codec, compiled when it is first used. */
import { type Codec, type CodecOptions, compileCodec, parseSchema, type Schema } from '@assay/avro'
import type { Widen } from './times.ts'
import { widening } from './widening.ts'

export interface AvroTypeParts extends Required<CodecOptions> {
  /** Full name of a named type, else the kind. */
  readonly name: string
  /** Canonical text, with everything that it uses. */
  readonly schema: string
  /** CRC-64-AVRO of the parsing canonical form, 16 hexadecimal digits. */
  readonly fingerprint: string
}

/** `T` is what is read, `I` what may be written: fields with a default left out, wider types where nothing is lost. */
export interface AvroType<T, I> {
  readonly name: string
  readonly schema: string
  readonly fingerprint: string
  /** The value as a reader gets it: defaults filled in, each part in the type in which it is read, times cut to their unit. Throws EVENT_NOT_ENCODABLE when it does not fit. */
  create(init: I): T
  /** Avro's binary encoding. Throws EVENT_NOT_ENCODABLE when the value does not fit. */
  encode(init: I): Buffer
  /** What was written with this schema, or with `writer`, which is resolved to this one. Throws DecodeFault. */
  decode(bytes: Uint8Array, writer?: Schema): T
  /** True for a value as it is read: complete, with the types of `T`. */
  is(value: unknown): value is T
}

/** A value of a union with several records: the record with its full name, which is not part of the data. */
export type Tagged<N extends string, T> = T & { readonly $type: N }
/** A value of a union whose branches JavaScript cannot tell apart. */
export interface Boxed<N extends string, T> {
  readonly $type: N
  readonly value: T
}

/** Used by generated code. Nothing is parsed or compiled before the first use. */
export function avroType<T, I>({ name, schema, fingerprint, long, time }: AvroTypeParts): AvroType<T, I> {
  let compiled: { readonly codec: Codec<T>; readonly widen: Widen } | undefined
  const compile = () => {
    if (!compiled) {
      const parsed = parseSchema(schema)
      compiled = { codec: compileCodec<T>(parsed, { long, time }), widen: widening(parsed, { long, time }) }
    }
    return compiled
  }
  const encode = (init: I): Buffer => {
    const { codec, widen } = compile()
    return codec.encode(widen(init) as T)
  }
  return {
    name,
    schema,
    fingerprint,
    // What a reader would get is by definition complete and of the right types.
    create: init => compile().codec.decode(encode(init)),
    encode,
    decode: (bytes, writer) => compile().codec.decode(bytes, writer),
    is: (value): value is T => compile().codec.is(value)
  }
}
