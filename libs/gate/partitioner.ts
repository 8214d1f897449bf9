/** Which partition a record goes to when nobody says: as the Java client's default partitioner does it. */

/**
 * Records of one key share a partition (murmur2 of the key, as every Kafka client has it); records without a key
 * go together to the partition whose turn it is.
 */
export function partitionOf(key: Uint8Array | null, partitionCount: number, turn: number): number {
  return key === null ? turn % partitionCount : (murmur2(key) & 0x7fffffff) % partitionCount
}

/** The 32-bit MurmurHash2 of Kafka's `Utils.murmur2`, seed included; signed. */
export function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995
  const whole = data.length & ~3
  let hash = 0x9747b28c ^ data.length
  for (let at = 0; at < whole; at += 4) {
    let k = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    hash = Math.imul(hash, m) ^ Math.imul(k, m)
  }
  const left = data.length - whole
  if (left >= 3) hash ^= data[whole + 2]! << 16
  if (left >= 2) hash ^= data[whole + 1]! << 8
  if (left >= 1) hash = Math.imul(hash ^ data[whole]!, m)
  hash = Math.imul(hash ^ (hash >>> 13), m)
  return hash ^ (hash >>> 15)
}
