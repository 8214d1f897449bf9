/**
 * Checks that bytes are exactly one value of a schema, down to the last byte, making no objects of them: a scanner compiled from the schema
 * says yes, and only where it says no a slow walk finds out why. Stricter than decoders are: shortest varints, booleans 0 or 1,
 * strict UTF-8, counts within the bytes left, nothing left over.
 */
import { assert } from '@assay/std'
import type { Schema } from '../schema.ts'
import { explain, type Fault } from './explain.ts'
import { scanBytes, scanInt, scanLong, scanNumber, scanned, scanString } from './scan.ts'
import { validatorSource } from './validator-source.ts'

/** The fault of `bytes[start..end)`, or undefined when they are one value of the schema and nothing else. */
export type Validator = (bytes: Buffer, start: number, end: number) => Fault | undefined

/** The position behind the value, or -1. */
type Scan = (bytes: Buffer, start: number, end: number, depth: number) => number

const PARAMETERS = ['scanLong', 'scanInt', 'scanNumber', 'scanBytes', 'scanString', 'scanned']

export function compileValidator(schema: Schema): Validator {
  const make = new Function(...PARAMETERS, validatorSource(schema))
  const scan = make(scanLong, scanInt, scanNumber, scanBytes, scanString, scanned) as Scan
  return (bytes, start, end) => {
    if (scan(bytes, start, end, 0) === end) return undefined
    const fault = explain(schema, bytes, start, end)
    assert(fault !== undefined, 'what the scanner refuses, the walk refuses too')
    return fault
  }
}

const validators = new WeakMap<Schema, Validator>()

/** The validator of a schema, compiled on first use and kept as long as the schema. */
export function validatorFor(schema: Schema): Validator {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = compileValidator(schema)
    validators.set(schema, validator)
  }
  return validator
}
