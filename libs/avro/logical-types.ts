/** Recognises logical types as Java does: known, on a base type that can carry it, with fitting attributes; else there is none. */
import { isIntegerText, isJsonNumber } from './json-text.ts'
import type { Json, LogicalType, Schema } from './schema.ts'

type Kind = Schema['kind']
interface Base {
  readonly kind: Kind
  readonly size?: number
  readonly properties: ReadonlyMap<string, Json>
}

const plain: Readonly<Record<string, (base: Base) => boolean>> = {
  'big-decimal': base => base.kind === 'bytes',
  uuid: base => base.kind === 'string' || (base.kind === 'fixed' && base.size === 16),
  date: base => base.kind === 'int',
  'time-millis': base => base.kind === 'int',
  'time-micros': base => base.kind === 'long',
  'timestamp-millis': base => base.kind === 'long',
  'timestamp-micros': base => base.kind === 'long',
  'timestamp-nanos': base => base.kind === 'long',
  'local-timestamp-millis': base => base.kind === 'long',
  'local-timestamp-micros': base => base.kind === 'long',
  'local-timestamp-nanos': base => base.kind === 'long',
  duration: base => base.kind === 'fixed' && base.size === 12
}

/** Java classes named on a type take the place of a logical type. */
const excluding = ['avro.java.string', 'java-class', 'java-key-class', 'java-element-class']

export function logicalTypeOf(base: Base): LogicalType | undefined {
  const name = base.properties.get('logicalType')
  if (typeof name !== 'string' || excluding.some(key => typeof base.properties.get(key) === 'string')) return undefined
  if (name === 'decimal') return decimalOf(base)
  return Object.hasOwn(plain, name) && plain[name]!(base) ? ({ name } as LogicalType) : undefined
}

/** The logical type as one word, `decimal(9,2)`; one that only programs know counts as well; empty for none. */
export function logicalTypeText(schema: Exclude<Schema, { kind: 'union' }>): string {
  const { logicalType } = schema
  if (logicalType !== undefined) {
    return logicalType.name === 'decimal' ? `decimal(${logicalType.precision},${logicalType.scale})` : logicalType.name
  }
  const name = schema.properties.get('logicalType')
  return typeof name === 'string' && !isKnownLogicalType(name) ? name : ''
}

/** Whether Avro gives the name a meaning; on a base type that does not fit it has none all the same. */
export const isKnownLogicalType = (name: string): boolean => name === 'decimal' || Object.hasOwn(plain, name)

/** Why a known logical type counts for nothing, and how to mend it; undefined when it counts, or there is none. */
export function whyNoLogicalType(
  schema: Exclude<Schema, { kind: 'union' }>
): { readonly reason: string; readonly mend: string } | undefined {
  const name = schema.properties.get('logicalType')
  if (schema.logicalType !== undefined || typeof name !== 'string' || !isKnownLogicalType(name)) return undefined
  // A Java class is meant to take its place.
  if (excluding.some(key => typeof schema.properties.get(key) === 'string')) return undefined
  const carriers = carriersOf[name] ?? 'a long'
  const size = schema.kind === 'fixed' ? schema.size : undefined
  if (name !== 'decimal' || (schema.kind !== 'bytes' && schema.kind !== 'fixed')) {
    const own = size === undefined ? schema.kind : `fixed of ${size} bytes`
    return { reason: `it needs ${carriers}, and this is ${own}`, mend: `Put it on ${carriers}, or remove "logicalType".` }
  }
  const precision = intOf(schema.properties.get('precision'))
  if (precision === undefined || precision <= 0) {
    return { reason: 'its precision is no whole number above 0', mend: 'Write the count of digits as "precision".' }
  }
  const scale = schema.properties.has('scale') ? intOf(schema.properties.get('scale')) : 0
  if (scale === undefined || scale < 0 || scale > precision) {
    return {
      reason: `its scale is no whole number from 0 to the precision ${precision}`,
      mend: `Write a "scale" from 0 to ${precision}, or a larger "precision".`
    }
  }
  const digits = Math.max(0, digitsOf(size!))
  return {
    reason: `${size} bytes do not hold the precision ${precision}, only ${digits} digits`,
    mend: digits > 0 ? `Write "precision": ${digits} at most, or make the fixed larger.` : 'Make the fixed larger.'
  }
}

const carriersOf: Readonly<Record<string, string>> = {
  decimal: 'bytes or a fixed',
  'big-decimal': 'bytes',
  uuid: 'a string or a fixed of 16 bytes',
  date: 'an int',
  'time-millis': 'an int',
  duration: 'a fixed of 12 bytes'
}

function decimalOf(base: Base): LogicalType | undefined {
  if (base.kind !== 'bytes' && base.kind !== 'fixed') return undefined
  const precision = intOf(base.properties.get('precision'))
  const scale = base.properties.has('scale') ? intOf(base.properties.get('scale')) : 0
  if (precision === undefined || scale === undefined || precision <= 0 || scale < 0 || scale > precision) return undefined
  if (base.kind === 'fixed' && precision > digitsOf(base.size!)) return undefined
  return { name: 'decimal', precision, scale }
}

/** Decimal digits that a two's-complement number of `size` bytes always holds; 32-bit arithmetic as in Java. */
const digitsOf = (size: number): number => Math.floor(Math.log10(2) * (Math.imul(8, size) - 1))

function intOf(value: Json | undefined): number | undefined {
  if (!isJsonNumber(value) || !isIntegerText(value.text)) return undefined
  const number = Number(value.text)
  return number >= -2147483648 && number <= 2147483647 ? number : undefined
}
