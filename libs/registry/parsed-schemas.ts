/**
 * Which registered schemas are held as parsed objects: those used lately, up to a number of characters of their texts. A parsed schema takes
 * many times the memory of its text, and most versions of a large registry are never looked at again.
 */
import type { Schema } from '@assay/avro'

/** What holds a parsed schema. */
export interface Holder {
  readonly text: string
  parsed: Schema | undefined
  /** Set at each use; taken back when the holder comes up for eviction and is let off once. */
  isUsed: boolean
}

export interface ParsedSchemas {
  /** Keeps the parsed schema, and drops others that were not used since they last came up. */
  keep(holder: Holder, parsed: Schema): void
  /** Drops the parsed schema of a holder that is gone. */
  forget(holder: Holder): void
}

export function parsedSchemas(charsMax: number): ParsedSchemas {
  /** In the order in which they come up. */
  const held = new Set<Holder>()
  let chars = 0

  const evict = (): void => {
    for (const holder of held) {
      if (chars <= charsMax || held.size <= 1) return
      held.delete(holder)
      if (holder.isUsed && holder.parsed) {
        holder.isUsed = false
        held.add(holder)
        continue
      }
      holder.parsed = undefined
      chars -= holder.text.length
    }
  }
  return {
    forget(holder) {
      holder.parsed = undefined
      if (held.delete(holder)) chars -= holder.text.length
    },
    keep(holder, parsed) {
      if (!held.has(holder)) {
        held.add(holder)
        chars += holder.text.length
      }
      holder.parsed = parsed
      // The newcomer is let off once, whatever its size: somebody is about to use it.
      holder.isUsed = true
      if (chars > charsMax) evict()
    }
  }
}
