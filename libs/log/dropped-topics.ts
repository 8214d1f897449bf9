/** Clearing away what the index has of deleted topics, so that the segments know that their batches are dead. */
import { clearDropped, droppedTopics } from './checkpoint.ts'
import { rowsOfTopic } from './offset-index.ts'
import type { LogState } from './state.ts'

const SLICE_ROWS = 2048

/** `checkpoint` writes one; it is called after every slice. False when it was told to stop before all was done. */
export async function clearDroppedTopics(
  state: LogState,
  checkpoint: () => Promise<void>,
  isStopped: () => boolean = () => false
): Promise<boolean> {
  const { index } = state.parts
  for (const topicId of await droppedTopics(index)) {
    for (;;) {
      if (isStopped()) return false
      const rows = await rowsOfTopic(index, topicId, SLICE_ROWS)
      if (rows.length === 0) break
      for (const { key, batch } of rows) {
        // Of a damaged row it cannot be said which segment it kept alive: that one stays.
        if (batch !== undefined) state.segments.died(batch.sequence, batch.sizeBytes)
        state.trimmed.push(key)
      }
      await checkpoint()
    }
    await clearDropped(index, topicId)
  }
  return true
}
