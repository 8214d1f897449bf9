/**
 * A snapshot of the state: what the journal's records up to an offset add up to, written as such records again. It makes the start
 * independent of the length of the journal, and it is never believed against it: a snapshot that is torn, damaged, too new, or not of this
 * very journal is passed over, and the journal is read from its beginning. Layout: docs/formats/registry-snapshot.md.
 */
import { AssayError, isAssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { checkBatch, decodeBatch, encodeBatch, FIELD_AT, LOG_OVERHEAD, readHeader, stampBatch } from '@assay/records'
import { assert } from '@assay/std'
import type { Change } from './changes.ts'
import { decodeRecord, encodeChange, type JournalRecord } from './journal.ts'
import type { RegistryLimits } from './limits.ts'
import { normalizedName } from './qualified.ts'
import {
  apply,
  contextHolding,
  emptyState,
  type RegisteredSchema,
  type State,
  subjectsWithin,
  type Version,
  versionAt,
  versionsOf
} from './subjects.ts'

/** Where a snapshot is kept. */
export interface SnapshotStore {
  /** The snapshot in pieces of any size; nothing when there is none. Fails with STORE_FAILED. */
  read(): AsyncIterable<Buffer>
  /** Replaces the snapshot when all pieces are on disk; a failure, theirs included, leaves the one before. Fails with STORE_FAILED, and as they do. */
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
/** A length beyond this is damage. One record may well be larger than what a batch aims at. */
const BATCH_BYTES_MAX = 256 * 1024 * 1024

/** In what portions a snapshot is written. */
export interface SnapshotPace {
  /** What one batch aims at. */
  readonly batchBytes: number
  /** Requests wait no longer than this, and than one batch takes. */
  readonly turnMs: number
}

const defaultPace: SnapshotPace = { batchBytes: 64 * 1024, turnMs: 2 }

interface Head extends JournalPlace {
  readonly format: number
  readonly records: number
}

interface Stamped {
  readonly record: JournalRecord
  readonly timestampMs: number
}

/** A snapshot under way. It holds the state of the moment in which it was begun, however long the reading of its pieces takes. */
export interface SnapshotUnderway {
  /** How many records it holds. */
  readonly records: number
  readonly pieces: AsyncIterable<Buffer>
  /** To be called before each change that is made to the state until the last piece was read. */
  before(change: Change): void
}

/** A version as it was. */
interface Use {
  readonly version: Version
  readonly deleted: boolean
  readonly timestampMs: number
}

/**
 * Begins a snapshot of the state. A hundred thousand schemas cannot be looked at in one turn: only the list of them is taken down now. What
 * hangs on a schema is read when its turn comes, or just before it changes.
 */
export function beginSnapshot(state: State, place: JournalPlace, pace: SnapshotPace = defaultPace): SnapshotUnderway {
  const contexts = [...state.contexts.values()]
  const settings = settingsOf(state)
  const schemas = contexts.flatMap(context => [...context.schemas.values()])
  // A version lists its context: whether it is listed comes after that.
  const rooms = contexts.flatMap(({ name, maxId, isListed }): Change[] => [
    { type: 'context', context: name, exists: isListed },
    { type: 'maxId', context: name, maxId }
  ])
  const versionCount = [...state.subjects.values()].reduce((sum, versions) => sum + versions.length, 0)
  const kept = new Map<RegisteredSchema, readonly Use[]>()

  // What an ID was first, it stays, and so does the first subject that it had: the order is that in which all of it came up.
  function* records(): Generator<Stamped> {
    for (const change of settings) yield stamped(change, 0)
    for (const schema of schemas) {
      for (const use of kept.get(schema) ?? usesOf(schema)) yield stampedUse(use)
    }
    for (const change of rooms) yield stamped(change, 0)
  }
  const count = settings.length + versionCount + rooms.length
  return {
    records: count,
    pieces: piecesOf(records(), { format: FORMAT, ...place, records: count }, pace),
    before(change) {
      for (const schema of schemasChanged(state, change)) if (!kept.has(schema)) kept.set(schema, usesOf(schema))
    }
  }
}

function settingsOf(state: State): Change[] {
  const changes: Change[] = []
  for (const [subject, config] of state.configs) changes.push({ type: 'config', subject, config })
  for (const [subject, mode] of state.modes) changes.push({ type: 'mode', subject, mode })
  return changes
}

function usesOf(schema: RegisteredSchema): Use[] {
  return Array.from(schema.versions, version => ({ version, deleted: version.deleted, timestampMs: version.timestampMs }))
}

/** The schemas whose versions a change may add to, take from or alter; some more do no harm. */
function schemasChanged(state: State, change: Change): RegisteredSchema[] {
  switch (change.type) {
    case 'schema': {
      const named = contextHolding(state, change.subject)?.schemas.get(change.id)
      const replaced = versionAt(state, change.subject, change.version)?.schema
      return [...(named ? [named] : []), ...(replaced ? [replaced] : [])]
    }
    case 'tombstone': {
      const version = versionAt(state, change.subject, change.version)
      return version ? [version.schema] : []
    }
    case 'deleteSubject':
      return schemasOf(state, [change.subject])
    case 'clearSubject':
      return schemasOf(state, subjectsWithin(state, change.subject))
    case 'context':
    case 'config':
    case 'mode':
    case 'maxId':
      return []
  }
}

const schemasOf = (state: State, subjects: readonly string[]): RegisteredSchema[] =>
  subjects.flatMap(subject => versionsOf(state, subject, true).map(({ schema }) => schema))

function stampedUse({ version: { subject, version, schema }, deleted, timestampMs }: Use): Stamped {
  return stamped({ type: 'schema', subject, version, id: schema.id, content: schema, deleted }, timestampMs)
}

function stamped(change: Change, timestampMs: number): Stamped {
  // Names out of logs of others may not read again as they stand: `:.::.:a` was read as `:.:a`, and that reads as `a`.
  if (
    'subject' in change &&
    change.subject !== null &&
    (change.subject === '' || normalizedName(change.subject) !== change.subject)
  ) {
    throw new AssayError('STORE_FAILED', { action: `hold the name '${change.subject}' in a snapshot` })
  }
  return { record: encodeChange(change), timestampMs }
}

async function* piecesOf(entries: Iterable<Stamped>, head: Head, { batchBytes, turnMs }: SnapshotPace): AsyncGenerator<Buffer> {
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
  let turnEnds = performance.now() + turnMs
  for (const entry of entries) {
    records.push(entry)
    bytes += entry.record.key.length + (entry.record.value?.length ?? 0)
    if (bytes >= batchBytes) {
      yield batchOf(records)
      records = []
      bytes = 0
    }
    if (performance.now() < turnEnds) continue
    await nextTurn()
    turnEnds = performance.now() + turnMs
  }
  if (records.length > 0) yield batchOf(records)
  assert(index === head.records + 1, 'a snapshot holds as many records as its head says')
}

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export interface Loaded extends JournalPlace {
  readonly state: State
  /** How many records it held. */
  readonly records: number
}

/** Why a snapshot is passed over; undefined when there is none. */
export type LoadedOrNot = Loaded | { readonly reason: string } | undefined

/** Reads a snapshot, and looks whether it is one of this journal. Whatever is wrong with it, or with reading it, is a reason and no failure. */
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
  return { state, nextOffset: head.nextOffset, lastCrc: head.lastCrc, records: head.records }
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

/** Cuts pieces of any size into whole batches; only what two pieces share is copied. Throws RangeError for what is none. */
async function* batchesIn(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  /** The beginning of a batch that goes on in the next piece. */
  let held: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    let rest = piece
    while (held.length > 0 && rest.length > 0) {
      const missing = (sizeAt(held) ?? LOG_OVERHEAD) - held.length
      held = Buffer.concat([held, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      if (held.length !== sizeAt(held)) continue
      yield held
      held = Buffer.alloc(0)
    }
    for (let size = sizeAt(rest); size !== undefined && size <= rest.length; size = sizeAt(rest)) {
      yield rest.subarray(0, size)
      rest = rest.subarray(size)
    }
    if (rest.length > 0) held = rest
  }
  if (held.length > 0) throw new RangeError('it ends in the middle of a batch')
}

/** Bytes of the batch that begins here, or undefined while too little of it is there to say. Throws RangeError for a length that cannot be. */
function sizeAt(bytes: Buffer): number | undefined {
  if (bytes.length < LOG_OVERHEAD) return undefined
  const size = LOG_OVERHEAD + bytes.readInt32BE(FIELD_AT.batchLength)
  if (size <= LOG_OVERHEAD || size > BATCH_BYTES_MAX) throw new RangeError('a batch of it has no length that could be')
  return size
}
