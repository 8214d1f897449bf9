/**
 * What happens to the row of segments when a log is opened: it is compared with what the last checkpoint knew of it. A segment that is
 * missing or that does not belong there is told with STORE_CORRUPT; one that was on its way out goes for good.
 */
import type { Checkpoint } from './checkpoint.ts'
import { corruptJournal } from './journal.ts'
import { liveRowsOf } from './offset-index.ts'
import { newSegment } from './segment-table.ts'
import type { LogState } from './state.ts'

/** Fills the table. Behind the checkpoint only the names are known yet. */
export async function compareSegments(state: LogState, checkpoint: Checkpoint | undefined): Promise<void> {
  const { journal, clock } = state.parts
  const known = checkpoint === undefined ? [] : checkpoint.segments
  const isOfOneSegment = checkpoint !== undefined && known.length === 0
  for (const segment of known) {
    state.segments.add(segment)
    if (segment.isDropped) continue
    if (journal.firsts.includes(segment.first)) continue
    const last = segment.rows === 0 ? 'no rows' : `rows ${segment.first} to ${segment.first + segment.rows - 1}`
    throw corruptJournal(`segment ${segment.first}, with ${last}, is missing`)
  }
  const names = new Set(known.filter(({ isDropped }) => !isDropped).map(({ first }) => first))
  for (const first of journal.firsts) {
    const isDropped = known.some(segment => segment.first === first && segment.isDropped)
    if (names.has(first) || isDropped) continue
    const isLate = checkpoint === undefined || first >= checkpoint.sequence || (isOfOneSegment && first === 0)
    if (!isLate) throw corruptJournal(`segment ${first} does not belong to it`)
    state.segments.add(newSegment(first, clock.now()))
  }
  if (isOfOneSegment) await countLive(state, checkpoint.sequence)
  for (const segment of known.filter(({ isDropped }) => isDropped)) {
    await journal.drop(segment.first)
    state.segments.remove(segment)
  }
}

/** Counts what the index points to; of the dead rows in the one segment that there was, the size is taken to be the same. */
async function countLive(state: LogState, sequence: number): Promise<void> {
  const { index } = state.parts
  const segment = state.segments.of(0)
  for await (const { sizeBytes } of liveRowsOf(index)) {
    segment.liveRows++
    segment.liveBytes += sizeBytes
  }
  segment.rows = sequence
  segment.bytes = segment.liveRows === 0 ? 0 : Math.round((segment.liveBytes / segment.liveRows) * segment.rows)
}
