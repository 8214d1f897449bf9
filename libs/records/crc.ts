/** CRC-32C (Castagnoli), the checksum of a record batch: native for long inputs, a table of our own for short ones. */
import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4 has its test vectors). */
const POLYNOMIAL = 0x82f63b78
/** Where a call into native code becomes cheaper than the table. Measured on Node 26: 128 B 109 to 157 ns, 256 B 207 to 166 ns. */
const NATIVE_BYTES_MIN = 192

const tables = makeTables()

/** The CRC-32C of `bytes[start..end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return end - start < NATIVE_BYTES_MIN ? tableCrc32c(bytes, start, end) : nativeCrc32c(bytes.subarray(start, end))
}

/** Eight bytes a step through eight tables ("slicing by 8"). Exported for the test that holds both ways to the same answer. */
export function tableCrc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1
  let at = start
  for (const lastStep = end - 8; at <= lastStep; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      tables[0x700 + (low & 0xff)]! ^
      tables[0x600 + ((low >>> 8) & 0xff)]! ^
      tables[0x500 + ((low >>> 16) & 0xff)]! ^
      tables[0x400 + (low >>> 24)]! ^
      tables[0x300 + bytes[at + 4]!]! ^
      tables[0x200 + bytes[at + 5]!]! ^
      tables[0x100 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

/** Table k holds, for each byte, its CRC followed by k zero bytes. */
function makeTables(): Int32Array {
  const all = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    all[byte] = crc
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256]!
    all[at] = (before >>> 8) ^ all[before & 0xff]!
  }
  return all
}
