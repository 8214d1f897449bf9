/** Confluent's wire format: a zero byte, the schema ID in four bytes, big end first, then the Avro payload. */

export const WIRE_FORMAT_MAGIC = 0
/** Bytes before the payload. */
export const WIRE_FORMAT_BYTES = 5

/** A payload with its schema ID in front. */
export function frame(schemaId: number, payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(WIRE_FORMAT_BYTES + payload.length)
  framed[0] = WIRE_FORMAT_MAGIC
  framed.writeInt32BE(schemaId, 1)
  framed.set(payload, WIRE_FORMAT_BYTES)
  return framed
}

/** The schema ID that bytes name, or undefined when they are not in the wire format. */
export function framedId(bytes: Buffer, start = 0, end = bytes.length): number | undefined {
  if (end - start < WIRE_FORMAT_BYTES || bytes[start] !== WIRE_FORMAT_MAGIC) return undefined
  return bytes.readInt32BE(start + 1)
}
