/**
 * A snapshot of the state: what the journal's records up to an offset add up to, written as such records again. It makes the start
 * independent of the length of the journal, and it is never believed against it: a snapshot that is torn, damaged, too new, or not of this
 * very journal is passed over, and the journal is read from its beginning. Layout: docs/formats/registry-snapshot.md.
 */
import { isAssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { checkBatch, decodeBatch, encodeBatch, FIELD_AT, LOG_OVERHEAD, readHeader, stampBatch } from '@assay/records'
import type { Change } from './changes.ts'
import { decodeRecord, encodeChange, type JournalRecord } from './journal.ts'
import type { RegistryLimits } from './limits.ts'
import { apply, emptyState, type State, type Version } from './subjects.ts'

/** Where a snapshot is kept. */
export interface SnapshotStore {
  /** The snapshot in pieces of any size; nothing when there is none. */
  read(): AsyncIterable<Buffer>
  /** Replaces the snapshot when all pieces are on disk; a failure, theirs included, leaves the one before. */
  write(pieces: AsyncIterable<Buffer>): Promise<void>
}

/** A place in a journal, and by what that journal is known again. */
export interface JournalPlace {
  /** The first offset that is not in the state. */
  readonly nextOffset: number
  /** CRC-32C of the batch before it. */
  readonly lastCrc: number
}

const FORMAT = 1
/** What one batch of the snapshot aims at. */
const BATCH_BYTES = 256 * 1024
/** A longer turn would keep requests waiting. */
const TURN_MS = 3

interface Head extends JournalPlace {
  readonly format: number
  readonly records: number
}

interface Stamped {
  readonly record: JournalRecord
  readonly timestampMs: number
}

/** The state as records, in pieces: as it is when this is called, however long the reading takes. */
export function snapshotOf(state: State, place: JournalPlace): AsyncIterable<Buffer> {
  const parts = partsOf(state)
  return piecesOf(parts, { format: FORMAT, ...place, records: parts.length })
}

/** A part of a state that does not change any more; a version becomes a record when its turn comes. */
type Part = Change | { readonly version: Version; readonly deleted: boolean; readonly timestampMs: number }

/** Everything in the order in which it must be read: what an ID was first, it stays. */
function partsOf(state: State): Part[] {
  const parts: Part[] = []
  for (const [subject, config] of state.configs) parts.push({ type: 'config', subject, config })
  for (const [subject, mode] of state.modes) parts.push({ type: 'mode', subject, mode })
  for (const { schemas } of state.contexts.values()) {
    for (const { versions } of schemas.values()) {
      for (const version of versions) parts.push({ version, deleted: version.deleted, timestampMs: version.timestampMs })
    }
  }
  // A version lists its context: whether it is listed comes after that.
  for (const { name, maxId, isListed } of state.contexts.values()) {
    parts.push({ type: 'context', context: name, exists: isListed }, { type: 'maxId', context: name, maxId })
  }
  return parts
}

function stamped(part: Part): Stamped {
  if ('type' in part) return { record: encodeChange(part), timestampMs: 0 }
  const { subject, version, schema } = part.version
  const change: Change = { type: 'schema', subject, version, id: schema.id, content: schema, deleted: part.deleted }
  return { record: encodeChange(change), timestampMs: part.timestampMs }
}

async function* piecesOf(parts: readonly Part[], head: Head): AsyncGenerator<Buffer> {
  let index = 0
  const batchOf = (records: readonly Stamped[]): Buffer => {
    const batch = encodeBatch({
      records: records.map(({ record, timestampMs }) => ({ ...record, timestampMs })),
      baseTimestampMs: records[0]!.timestampMs
    })
    stampBatch(batch, index, 0)
    index += records.length
    return batch
  }
  yield batchOf([{ record: { key: Buffer.from('snapshot'), value: Buffer.from(JSON.stringify(head)) }, timestampMs: 0 }])
  let records: Stamped[] = []
  let bytes = 0
  let turnEnds = performance.now() + TURN_MS
  for (const part of parts) {
    const entry = stamped(part)
    records.push(entry)
    bytes += entry.record.key.length + (entry.record.value?.length ?? 0)
    if (bytes >= BATCH_BYTES) {
      yield batchOf(records)
      records = []
      bytes = 0
    }
    if (performance.now() < turnEnds) continue
    await nextTurn()
    turnEnds = performance.now() + TURN_MS
  }
  if (records.length > 0) yield batchOf(records)
}

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export interface Loaded extends JournalPlace {
  readonly state: State
}

/** Why a snapshot is passed over; undefined when there is none. */
export type LoadedOrNot = Loaded | { readonly reason: string } | undefined

/** Reads a snapshot, and looks whether it is one of this journal. Fails only as the store does. */
export async function loadSnapshot(
  store: SnapshotStore,
  { log, limits }: { readonly log: PartitionLog; readonly limits: Pick<RegistryLimits, 'inflatedBytesMax'> }
): Promise<LoadedOrNot> {
  const state = emptyState()
  let head: Head | undefined
  let index = 0
  try {
    for await (const batch of batchesIn(store.read())) {
      checkBatch(batch, { sizeMax: Number.POSITIVE_INFINITY, from: 'log' })
      if (readHeader(batch).baseOffset !== index) return { reason: `a part is missing before record ${index}` }
      for (const entry of decodeBatch(batch, limits.inflatedBytesMax)) {
        index++
        if (head === undefined) {
          head = readHead(entry.value)
          const fault = head === undefined ? 'its head cannot be read' : await faultOf(head, log)
          if (fault !== undefined) return { reason: fault }
          continue
        }
        const change = decodeRecord(entry)
        if (change === undefined || change.type === 'unreadable') return { reason: `record ${index - 1} cannot be read` }
        const refusal = apply(state, change, entry.timestampMs)
        if (refusal !== undefined) return { reason: `record ${index - 1}: ${refusal}` }
      }
    }
  } catch (error) {
    if (!isAssayError(error) && !(error instanceof RangeError)) throw error
    return { reason: error.message }
  }
  if (head === undefined) return undefined
  if (index !== head.records + 1) return { reason: `it holds ${index - 1} of ${head.records} records` }
  return { state, nextOffset: head.nextOffset, lastCrc: head.lastCrc }
}

function readHead(value: Buffer | null): Head | undefined {
  try {
    const head = JSON.parse(String(value)) as Head
    return Number.isSafeInteger(head.nextOffset) && Number.isSafeInteger(head.records) ? head : undefined
  } catch {
    return undefined
  }
}

async function faultOf({ format, nextOffset, lastCrc }: Head, log: PartitionLog): Promise<string | undefined> {
  if (format !== FORMAT) return `its format is ${format}, and ${FORMAT} is read here`
  if (nextOffset > log.highWatermark) return `it reaches to offset ${nextOffset}, the journal to ${log.highWatermark}`
  if (nextOffset <= log.startOffset) return `the journal begins at offset ${log.startOffset}, behind it`
  const [batch] = await log.read(nextOffset - 1, { bytesMax: 1 })
  return batch !== undefined && crcOf(batch) === lastCrc ? undefined : 'it was made of another journal'
}

export const crcOf = (batch: Buffer): number => batch.readUInt32BE(FIELD_AT.crc)

/** Cuts pieces of any size into whole batches. Throws RangeError for what is none. */
async function* batchesIn(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece])
    for (;;) {
      if (held.length < LOG_OVERHEAD) break
      const size = LOG_OVERHEAD + held.readInt32BE(FIELD_AT.batchLength)
      if (size <= LOG_OVERHEAD || size > 64 * BATCH_BYTES) throw new RangeError('a batch of it has no length that could be')
      if (held.length < size) break
      yield held.subarray(0, size)
      held = held.subarray(size)
    }
  }
  if (held.length > 0) throw new RangeError('it ends in the middle of a batch')
}
