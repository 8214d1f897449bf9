/**
 * What is known of each segment of the journal: where it begins and ends, and how much in it is alive, which is what the offset index
 * points to. Checkpoints write it together with the index rows that it counts. Layout: docs/formats/journal.md.
 */
import { assert } from '@assay/std'

export interface Segment {
  /** The sequence of its first row: its name. */
  readonly first: number
  /** When it was made, by the server's clock. */
  readonly createdMs: number
  /** Rows and bytes of batches that were ever written into it. */
  rows: number
  bytes: number
  /** Those of them that the index points to. */
  liveRows: number
  liveBytes: number
  /** Nothing in it is alive, and the last checkpoint says so: its directory may be gone already. */
  isDropped: boolean
}

export interface SegmentTable {
  /** Ascending, those on their way out included. */
  readonly all: readonly Segment[]
  /** The one that is written; undefined only before the first is added. */
  readonly newest: Segment | undefined
  /** The one that the row lies in. */
  of(sequence: number): Segment
  add(segment: Segment): void
  /** A batch that the index points to was written at this sequence. */
  born(sequence: number, bytes: number): void
  /** A batch was written that the index will never point to. */
  stillborn(sequence: number, bytes: number): void
  /** The index does not point to this one any more. */
  died(sequence: number, bytes: number): void
  markDropped(segment: Segment): void
  remove(segment: Segment): void
  /** What has changed since the last call; the newest is always among them. */
  takeChanges(): { readonly changed: Segment[]; readonly removed: Segment[] }
}

export const newSegment = (first: number, createdMs: number): Segment => ({
  ...{ first, createdMs, rows: 0, bytes: 0, liveRows: 0, liveBytes: 0 },
  isDropped: false
})

export function segmentTable(): SegmentTable {
  const all: Segment[] = []
  const changed = new Set<Segment>()
  let removed: Segment[] = []

  function of(sequence: number): Segment {
    const newest = all.at(-1)
    if (newest !== undefined && sequence >= newest.first) return newest
    const found = all[lastAtOrBefore(sequence, all.length, at => all[at]!.first)]
    assert(found !== undefined, `row ${sequence} lies in a segment`)
    return found
  }

  function write(sequence: number, bytes: number): Segment {
    const segment = of(sequence)
    segment.rows++
    segment.bytes += bytes
    changed.add(segment)
    return segment
  }

  return {
    all,
    get newest() {
      return all.at(-1)
    },
    of,
    add(segment) {
      const last = all.at(-1)
      assert(last === undefined || last.first < segment.first, 'segments are added in order')
      all.push(segment)
      changed.add(segment)
    },
    born(sequence, bytes) {
      const segment = write(sequence, bytes)
      segment.liveRows++
      segment.liveBytes += bytes
    },
    stillborn: write,
    died(sequence, bytes) {
      const segment = of(sequence)
      assert(segment.liveRows > 0, `segment ${segment.first} has no more dead rows than rows`)
      segment.liveRows--
      segment.liveBytes -= bytes
      changed.add(segment)
    },
    markDropped(segment) {
      segment.isDropped = true
      changed.add(segment)
    },
    remove(segment) {
      all.splice(all.indexOf(segment), 1)
      changed.delete(segment)
      removed.push(segment)
    },
    takeChanges() {
      const newest = all.at(-1)
      if (newest !== undefined) changed.add(newest)
      const changes = { changed: [...changed], removed }
      changed.clear()
      removed = []
      return changes
    }
  }
}

/** Index of the last of `count` ascending numbers that is at most `wanted`; -1 when there is none. */
export function lastAtOrBefore(wanted: number, count: number, numberAt: (index: number) => number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numberAt(middle) <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
}
