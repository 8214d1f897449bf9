/** Events as JSON and as Avro's binary encoding (docs/formats/json-events.md). What is read can be written again, and gives the same bytes. */
import type { Schema } from '../schema.ts'
import { written } from './binary.ts'
import { compileDecoder, type Decode, type Mapping } from './decoder-code.ts'
import { EncodeFault, Refusal } from './faults.ts'
import { JsonEncoder } from './json-encoder.ts'
import { jsonFormOf } from './json-form.ts'
import { wrapping } from './json-union.ts'
import { printPlace } from './place.ts'

/** Throws EncodeFault, which names the place, what was expected there and what was found. */
export function encodeJson(schema: Schema, value: unknown): Buffer {
  return written(writer => {
    const encoder = new JsonEncoder(writer)
    try {
      encoder.write(schema, value)
    } catch (error) {
      throw error instanceof Refusal ? new EncodeFault(printPlace(encoder.steps), error.reason) : error
    }
  })
}

const mapping: Mapping = {
  scalar(schema) {
    const form = jsonFormOf(schema)
    const same = form.always && form.kind !== 'text' ? true : schema.kind === 'string' && schema.logicalType === undefined
    return same ? undefined : form.toJson
  },
  branch: wrapping
}

const decoders = new WeakMap<Schema, WeakMap<Schema, Decode>>()

/** `schema` is what the bytes were written with, `readerSchema` what they are read as. Throws DecodeFault. */
export function decodeJson(schema: Schema, bytes: Uint8Array, readerSchema: Schema = schema): unknown {
  let byReader = decoders.get(schema)
  if (byReader === undefined) {
    byReader = new WeakMap()
    decoders.set(schema, byReader)
  }
  let decode = byReader.get(readerSchema)
  if (decode === undefined) {
    decode = compileDecoder(schema, readerSchema, mapping)
    byReader.set(readerSchema, decode)
  }
  return decode(bytes)
}
