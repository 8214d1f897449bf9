/**
 * What happens to the row of segments when a log is opened: it is compared with what the last checkpoint knew of it. A segment that is
 * missing or that does not belong there is told with STORE_CORRUPT; one that was on its way out goes for good.
 */
import type { Checkpoint } from './checkpoint.ts'
import { corruptJournal } from './journal.ts'
import { newSegment } from './segment-table.ts'
import type { LogState } from './state.ts'

/** Fills the table. Behind the checkpoint only the names are known yet. */
export async function compareSegments(state: LogState, checkpoint: Checkpoint | undefined): Promise<void> {
  const { journal, clock } = state.parts
  const known = checkpoint === undefined ? [] : checkpoint.segments
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
    const isLate = checkpoint === undefined || first >= checkpoint.sequence
    if (!isLate) throw corruptJournal(`segment ${first} does not belong to it`)
    state.segments.add(newSegment(first, clock.now()))
  }
  for (const segment of known.filter(({ isDropped }) => isDropped)) {
    await journal.drop(segment.first)
    state.segments.remove(segment)
  }
}
