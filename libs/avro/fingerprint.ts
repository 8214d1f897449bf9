/** CRC-64-AVRO (Avro 1.12, "Schema Fingerprints"): the 64-bit name of a schema's parsing canonical form. */
import { parsingCanonicalForm } from './canonical.ts'
import type { Schema } from './schema.ts'

const empty = 0xc15d213aa4d7a795n
let table: readonly bigint[] | undefined

/** Unsigned. */
export function fingerprint64(schema: Schema): bigint {
  return rabin(Buffer.from(parsingCanonicalForm(schema), 'utf8'))
}

/** The fingerprint of any bytes; of none it is the CRC's own start value. */
export function rabin(bytes: Uint8Array): bigint {
  table ??= Array.from({ length: 256 }, (_, index) => entry(BigInt(index)))
  let crc = empty
  for (const byte of bytes) crc = (crc >> 8n) ^ table[Number((crc ^ BigInt(byte)) & 0xffn)]!
  return crc
}

function entry(index: bigint): bigint {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (value & 1n ? empty : 0n)
  return value
}
