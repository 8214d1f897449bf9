/** Avro's `big-decimal`: the unscaled number and the scale of each value, as a bytes and an int inside the bytes (Avro 1.12, "Decimal"). */
import { BinaryReader, written } from './binary.ts'
import { bytesOf, DECIMAL_BYTES_MAX, Decimal, unscaledOf } from './decimal.ts'
import { scanBytes, scanInt } from './scan.ts'

/** Beyond this a value is not written out as a text: a scale costs no bytes, its zeros do. */
const SCALE_MAX = 1_000

/** Undefined when the bytes are no such number, or one that `writeBigDecimal` would write otherwise. */
export function readBigDecimal(given: Uint8Array): Decimal | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length)
  if (bytes.length > DECIMAL_BYTES_MAX) return undefined
  const unscaledEnd = scanBytes(bytes, 0, bytes.length)
  if (unscaledEnd < 0 || scanInt(bytes, unscaledEnd, bytes.length) !== bytes.length) return undefined
  const reader = new BinaryReader(bytes)
  const decimal = new Decimal(unscaledOf(reader.bytes()), reader.int())
  if (decimal.scale < 0 || decimal.scale > SCALE_MAX) return undefined
  return bytes.equals(writeBigDecimal(decimal)) ? decimal : undefined
}

export function writeBigDecimal({ unscaled, scale }: Decimal): Buffer {
  return written(writer => {
    writer.bytes(bytesOf(unscaled) ?? new Uint8Array(0))
    writer.int(scale)
  })
}
