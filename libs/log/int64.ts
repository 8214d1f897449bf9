/**
 * 64-bit integers as plain numbers, big-endian: without a BigInt on the way of every batch.
 * Exact for safe integers, negative ones included; all that is written here is one.
 */

const TWO_32 = 2 ** 32

export function writeInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / TWO_32), at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}

export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4)
}

/** What a client may have sent as any 64 bits, made exact: beyond 2^53 no timestamp means anything. */
export function clampToSafe(value: number): number {
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}
