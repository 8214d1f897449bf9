/** What a topic's settings find fault with in single records: times too far from the clock, sizes (KIP-467 tells each to its producer). */
import { type BatchHeader, CODEC, codecOf, decompress, HEADER_BYTES, RecordCursor, Scratch } from '@assay/records'
import type { AppendTerms } from './append-terms.ts'

export interface RecordFault {
  readonly index: number
  readonly kind: 'timestamp' | 'size'
  readonly reason: string
}

/** A batch that is wrong all through is described by its first faults. */
const FAULTS_MAX = 100
const scratch = new Scratch()
/** A record without a timestamp is neither old nor new. */
const NO_TIMESTAMP = -1

export interface FaultOptions {
  readonly nowMs: number
  /** Most bytes that the batch may inflate to. */
  readonly limitBytes: number
}

/**
 * Looks into the batch only where its header, or a setting that no header can answer, gives reason to. Fails with INVALID_BATCH,
 * DECOMPRESSED_TOO_LARGE, CORRUPT_BATCH.
 */
export function recordFaults(batch: Buffer, header: BatchHeader, terms: AppendTerms, options: FaultOptions): RecordFault[] {
  const { hasAppendTime, aheadMsMax, behindMsMax, recordBytesMax } = terms
  const { nowMs, limitBytes } = options
  const isAhead = !hasAppendTime && header.maxTimestamp - nowMs > aheadMsMax
  const mayBeBehind = !hasAppendTime && behindMsMax !== undefined
  const mayBeLarge = recordBytesMax !== undefined && codecOf(header) !== CODEC.none
  if (!isAhead && !mayBeBehind && !mayBeLarge) return []
  const faults: RecordFault[] = []
  const section = decompress(codecOf(header), batch.subarray(HEADER_BYTES), limitBytes, scratch)
  const cursor = new RecordCursor(section, header.recordCount, { dense: true })
  while (cursor.next() && faults.length < FAULTS_MAX) {
    const { index } = cursor
    if (mayBeLarge && cursor.recordEnd - cursor.recordStart > recordBytesMax) {
      faults.push({
        index,
        kind: 'size',
        reason: `it has ${cursor.recordEnd - cursor.recordStart} bytes, more than ${recordBytesMax}`
      })
    }
    const reason = hasAppendTime ? undefined : timeFault(header.baseTimestamp + cursor.timestampDelta, nowMs, terms)
    if (reason !== undefined) faults.push({ index, kind: 'timestamp', reason })
  }
  if (isAhead && !faults.some(({ kind }) => kind === 'timestamp')) {
    faults.push({
      index: 0,
      kind: 'timestamp',
      reason: `the header tells ${header.maxTimestamp}, which no record of the batch has`
    })
  }
  return faults
}

function timeFault(timestampMs: number, nowMs: number, { aheadMsMax, behindMsMax }: AppendTerms): string | undefined {
  if (timestampMs === NO_TIMESTAMP) return undefined
  const place = (direction: string, max: number): string =>
    `timestamp ${timestampMs} is more than ${max} ms ${direction} the clock of the server`
  if (timestampMs - nowMs > aheadMsMax) return place('ahead of', aheadMsMax)
  if (behindMsMax !== undefined && nowMs - timestampMs > behindMsMax) return place('behind', behindMsMax)
  return undefined
}
