/** Values of the index store end with their CRC-32C: LevelDB verifies no checksum on ordinary reads. */
import { crc32c } from '@assay/records'

const CRC_BYTES = 4

/** A value with room for its checksum; `bytes` are the payload's. */
export const allocSealed = (bytes: number): Buffer => Buffer.allocUnsafe(bytes + CRC_BYTES)

/** Writes the checksum, once the payload is complete. */
export function seal(value: Buffer): Buffer {
  const end = value.length - CRC_BYTES
  value.writeUInt32BE(crc32c(value, 0, end), end)
  return value
}

/** The payload, or undefined when it is damaged. */
export function unseal(value: Buffer): Buffer | undefined {
  const end = value.length - CRC_BYTES
  if (end < 0 || value.readUInt32BE(end) !== crc32c(value, 0, end)) return undefined
  return value.subarray(0, end)
}
