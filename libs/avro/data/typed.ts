/**
 * Codecs between Avro's binary encoding and the values of generated TypeScript: records are plain objects, maps have no prototype,
 * a long is exact, dates, decimals and unions look as the options and `unionShape` say.
 */
import { AssayError } from '@assay/errors'
import { branchName, type Schema, type UnionSchema } from '../schema.ts'
import { BinaryWriter, written } from './binary.ts'
import { compileDecoder, type Decode, type Mapping } from './decoder-code.ts'
import { compileEncoder, type Encode } from './encoder-code.ts'
import { Refusal } from './faults.ts'
import { printPlace, type Step } from './place.ts'
import { type CodecOptions, type FixedOptions, longForm, typedFormOf } from './typed-form.ts'
import { unionShape } from './union-shape.ts'

export interface Codec<T> {
  readonly schema: Schema
  /**
   * Fields with a default may be left out, a long may be a number or a bigint, a map a Map, a decimal a text; members that are no fields are passed over.
   * Throws EVENT_NOT_ENCODABLE with the path of what does not fit.
   */
  encode(value: T): Buffer
  /** What this schema wrote, or what `writer` wrote, resolved to this schema. Throws DecodeFault. */
  decode(bytes: Uint8Array, writer?: Schema): T
  /** True for a value as `decode` makes it: complete, and with the types that the options choose. */
  is(value: unknown): value is T
}

/** Nothing is compiled before its first use. The schema must be one that parseSchema made. */
export function compileCodec<T>(schema: Schema, options: CodecOptions = {}): Codec<T> {
  const fixed: FixedOptions = { long: options.long ?? 'bigint', time: options.time ?? 'temporal' }
  const mapping = mappingOf(fixed)
  const decoders = new WeakMap<Schema, Decode>()
  let encode: Encode | undefined
  let check: Encode | undefined

  return {
    schema,
    encode(value) {
      encode ??= compileEncoder(schema, { ...fixed, strict: false })
      try {
        const write = encode
        return written(writer => write(writer, value))
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const path = placeOf(schema, fixed, value)
        throw new AssayError('EVENT_NOT_ENCODABLE', { index: 0, path, reason: error.reason }, { cause: error })
      }
    },
    decode(bytes, writer = schema) {
      let decode = decoders.get(writer)
      if (decode === undefined) {
        decode = compileDecoder(writer, schema, mapping)
        decoders.set(writer, decode)
      }
      return decode(bytes) as T
    },
    is(value): value is T {
      check ??= compileEncoder(schema, { ...fixed, strict: true })
      try {
        check(new BinaryWriter(), value)
        return true
      } catch (error) {
        if (error instanceof Refusal) return false
        throw error
      }
    }
  }
}

/** Encodes once more with code that notes where it is. */
function placeOf(schema: Schema, options: FixedOptions, value: unknown): string {
  const steps: Step[] = []
  try {
    compileEncoder(schema, { ...options, strict: false }, steps)(new BinaryWriter(), value)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
  return printPlace(steps)
}

function mappingOf(options: FixedOptions): Mapping {
  return {
    scalar(schema) {
      return (typedFormOf(schema, options) ?? (schema.kind === 'long' ? longForm(options.long) : undefined))?.fromRaw
    },
    branch(union, index) {
      const branch = union.branches[index]!
      const shape = unionShape(union)
      if (branch.kind === 'null' || shape === 'plain') return undefined
      if (shape === 'boxed') return boxOf(union, index)
      return branch.kind === 'record' ? 'tagged' : undefined
    }
  }
}

function boxOf(union: UnionSchema, index: number): (value: unknown) => unknown {
  const $type = branchName(union.branches[index]!)
  return value => ({ $type, value })
}
