/**
 * The last offset of each key, in memory of a fixed size: a hash of 16 bytes stands for the key, as in Kafka's cleaner. Two keys with the
 * same one would take each other for the same key; by chance that does not happen.
 */
import { hash } from 'node:crypto'
import type { Offset } from './log.ts'

export interface KeyMap {
  /** Notes the offset unless a later one is known. False when the key is new and does not fit any more. */
  put(key: KeyHash, offset: Offset): boolean
  /** -1 when the key is not known. */
  get(key: KeyHash): Offset
}

/** 16 bytes. */
export type KeyHash = Buffer

const WORDS = 4
const SLOT_BYTES = WORDS * 4 + 8
/** Above it the search for a free slot gets long. */
const FILL_MAX = 0.75

export const hashOfKey = (key: Buffer): KeyHash => hash('sha256', key, 'buffer').subarray(0, WORDS * 4)

export function keyMap(bytes: number): KeyMap {
  const slots = Math.max(Math.floor(bytes / SLOT_BYTES), 2)
  const capacity = Math.max(Math.floor(slots * FILL_MAX), 1)
  const words = new Uint32Array(slots * WORDS)
  /** One more than the offset; 0 is an empty slot. */
  const offsets = new Float64Array(slots)
  let count = 0

  /** The slot of the key, or the empty one where it would go. */
  function slotOf(key: KeyHash): number {
    const [a, b, c, d] = [key.readUInt32LE(0), key.readUInt32LE(4), key.readUInt32LE(8), key.readUInt32LE(12)]
    for (let slot = a % slots; ; slot = slot + 1 === slots ? 0 : slot + 1) {
      if (offsets[slot] === 0) return slot
      const at = slot * WORDS
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot
    }
  }

  return {
    put(key, offset) {
      const slot = slotOf(key)
      if (offsets[slot] === 0) {
        if (count === capacity) return false
        count++
        for (let word = 0; word < WORDS; word++) words[slot * WORDS + word] = key.readUInt32LE(word * 4)
      }
      offsets[slot] = Math.max(offsets[slot]!, offset + 1)
      return true
    },
    get: key => offsets[slotOf(key)]! - 1
  }
}
