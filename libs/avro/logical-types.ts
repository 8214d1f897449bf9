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
