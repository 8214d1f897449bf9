/**
 * What a workload over a log tells, line by line, before and after everything it does; and what must, may and must not be in the log by
 * that, whenever it was cut off. Every anomaly comes in words.
 */
import type { Log } from '@assay/log'
import { decodeBatch, encodeBatch } from '@assay/records'

/** One batch as it was sent. Its name is its own; record i bears it in its value. */
export interface SentBatch {
  readonly topicId: string
  readonly partition: number
  /** Where it lies when it is there. */
  readonly baseOffset: number
  readonly name: string
  readonly count: number
  /** Bytes of a value beside the name. */
  readonly padBytes: number
  /** One for each record; `-` in front makes the record a tombstone. */
  readonly keys?: readonly string[]
  readonly producer?: { readonly id: number; readonly sequence: number }
}

/** A line of the tale. Batches with one unit number were appended together. */
export type Told =
  | { readonly tell: 'send'; readonly unit: number; readonly batches: readonly SentBatch[] }
  | { readonly tell: 'stored'; readonly unit: number; readonly offsets: readonly number[] }
  | { readonly tell: 'delete' | 'deleted'; readonly topicId: string; readonly partition: number; readonly before: number }
  | { readonly tell: 'drop' | 'dropped'; readonly topicId: string }

/** Topics of the workload: any other is made to be dropped. */
export const TOPIC = {
  plain: 'a'.repeat(32),
  retained: 'b'.repeat(32),
  compacted: 'c'.repeat(32),
  deleted: 'd'.repeat(32)
} as const
export const RETENTION_BYTES = 6000

const INFLATE_BYTES_MAX = 1 << 24
const BASE_TIME_MS = 1_700_000_000_000

export function bytesOf({ name, count, padBytes, keys, producer }: SentBatch): Buffer {
  const records = Array.from({ length: count }, (_, at) => ({
    key: keys === undefined ? null : Buffer.from(keys[at]!.replace('-', '')),
    value: keys?.[at]?.startsWith('-') ? null : Buffer.from(textIn({ name, padBytes }, at))
  }))
  return encodeBatch({
    records,
    baseTimestampMs: BASE_TIME_MS,
    ...(producer && { producerId: producer.id, producerEpoch: 0, baseSequence: producer.sequence })
  })
}

const textIn = ({ name, padBytes }: Pick<SentBatch, 'name' | 'padBytes'>, at: number): string =>
  `${name}#${at}${'.'.repeat(padBytes)}`
const lastOffsetOf = ({ baseOffset, count }: SentBatch): number => baseOffset + count - 1
const placeOf = (topicId: string, partition: number): string => `${topicId}-${partition}`
const textOf = ({ topicId, partition, baseOffset, name }: SentBatch): string =>
  `batch ${name} at offset ${baseOffset} of ${placeOf(topicId, partition)}`

interface Unit {
  readonly batches: readonly SentBatch[]
  isStored: boolean
}

interface Deletion {
  tried: number
  done: number
}

export interface Tale {
  readonly units: Map<number, Unit>
  readonly deletions: Map<string, Deletion>
  readonly drops: Map<string, 'tried' | 'done'>
  /** What contradicts itself already. */
  readonly anomalies: string[]
}

export function readTale(lines: readonly Told[]): Tale {
  const tale: Tale = { units: new Map(), deletions: new Map(), drops: new Map(), anomalies: [] }
  for (const line of lines) {
    if (line.tell === 'send') {
      tale.units.set(line.unit, { batches: line.batches, isStored: false })
    } else if (line.tell === 'stored') {
      const unit = tale.units.get(line.unit)!
      unit.isStored = true
      for (const [at, batch] of unit.batches.entries()) {
        if (line.offsets[at] !== batch.baseOffset)
          tale.anomalies.push(`moved: ${textOf(batch)} was stored at ${line.offsets[at]}`)
      }
    } else if (!('before' in line)) {
      tale.drops.set(line.topicId, line.tell === 'drop' ? 'tried' : 'done')
    } else {
      const place = placeOf(line.topicId, line.partition)
      const { tried, done } = tale.deletions.get(place) ?? { tried: 0, done: 0 }
      const isDone = line.tell === 'deleted'
      tale.deletions.set(place, { tried: Math.max(tried, line.before), done: isDone ? Math.max(done, line.before) : done })
    }
  }
  return tale
}

/** What each idempotent producer would send again after a restart: all that it was told nothing about, in order. */
export function unanswered({ units, drops }: Tale): SentBatch[] {
  return [...units.values()]
    .filter(({ isStored }) => !isStored)
    .flatMap(({ batches }) => batches)
    .filter(({ producer, topicId }) => producer !== undefined && !drops.has(topicId))
}

export const topicsKept = ({ units, drops }: Tale): Set<string> =>
  new Set(
    [...units.values()].flatMap(({ batches }) => batches.map(({ topicId }) => topicId)).filter(id => drops.get(id) !== 'done')
  )

interface FoundBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly values: ReadonlyMap<number, string>
}

interface FoundPartition {
  readonly startOffset: number
  readonly highWatermark: number
  readonly sizeBytes: number
  readonly batches: ReadonlyMap<number, FoundBatch>
}

/** Reads all of a log that the tale knows of. What contradicts it, in words; nothing when all is well. */
export async function anomaliesIn(log: Log, tale: Tale): Promise<string[]> {
  const anomalies = [...tale.anomalies]
  const sent = Map.groupBy(
    [...tale.units.values()].flatMap(({ batches, isStored }) => batches.map(batch => ({ batch, isStored }))),
    ({ batch }) => placeOf(batch.topicId, batch.partition)
  )
  const found = new Map<string, FoundPartition>()
  for (const [place, all] of sent) {
    const { topicId, partition } = all[0]!.batch
    const here = await readPartition(log, { topicId, partition }, anomalies)
    found.set(place, here)
    anomalies.push(...anomaliesOf(place, here, all, tale))
  }
  for (const { batches } of tale.units.values()) anomalies.push(...halves(batches, found, tale))
  return anomalies
}

async function readPartition(
  log: Log,
  key: { readonly topicId: string; readonly partition: number },
  anomalies: string[]
): Promise<FoundPartition> {
  const place = placeOf(key.topicId, key.partition)
  const { startOffset, highWatermark, logEndOffset, ...rest } = positionsOf(log, key)
  if (logEndOffset !== highWatermark)
    anomalies.push(`${place} ends at ${logEndOffset}, and its high watermark is ${highWatermark}`)
  const batches = new Map<number, FoundBatch>()
  let sizeBytes = 0
  for (let next = startOffset; next < highWatermark; ) {
    const page = await rest.read(next)
    if (page.length === 0) {
      anomalies.push(`gap: nothing is read from offset ${next} of ${place}, which ends at ${highWatermark}`)
      break
    }
    for (const bytes of page) {
      const baseOffset = Number(bytes.readBigInt64BE(0))
      const lastOffset = baseOffset + bytes.readInt32BE(23)
      if (next === startOffset ? baseOffset > next : baseOffset !== next) {
        anomalies.push(`gap: offset ${next} of ${place} is expected, and ${baseOffset} comes`)
      }
      const values = decodeBatch(bytes, INFLATE_BYTES_MAX).map(({ offset, key: k, value }): [number, string] => [
        offset,
        `${k ?? ''}=${value ?? ''}`
      ])
      batches.set(baseOffset, { baseOffset, lastOffset, values: new Map(values) })
      sizeBytes += bytes.length
      next = lastOffset + 1
    }
  }
  return { startOffset, highWatermark, sizeBytes, batches }
}

function positionsOf(log: Log, key: { readonly topicId: string; readonly partition: number }) {
  const partition = log.partition(key)
  const { startOffset, highWatermark, logEndOffset } = partition
  const read = (from: number): Promise<Buffer[]> => partition.read(from, { bytesMax: 1 << 20 })
  return { startOffset, highWatermark, logEndOffset, read }
}

type Known = readonly { readonly batch: SentBatch; readonly isStored: boolean }[]

function anomaliesOf(place: string, found: FoundPartition, sent: Known, tale: Tale): string[] {
  const { topicId } = sent[0]!.batch
  const drop = tale.drops.get(topicId)
  if (drop !== undefined && found.highWatermark === 0) return []
  if (drop === 'done') return [`back: ${place} was dropped, and ends at offset ${found.highWatermark}`]
  return [
    ...lost(found, sent),
    ...strange(place, found, sent),
    ...wrongStart(place, found, sent, tale),
    ...(topicId === TOPIC.compacted ? forgottenKeys(place, found, sent) : [])
  ]
}

const isCompacted = ({ topicId }: SentBatch): boolean => topicId === TOPIC.compacted

function lost(found: FoundPartition, sent: Known): string[] {
  return sent
    .filter(({ batch, isStored }) => isStored && lastOffsetOf(batch) >= found.startOffset)
    .filter(({ batch }) => lastOffsetOf(batch) >= found.highWatermark || (!isCompacted(batch) && !isThere(found, batch)))
    .map(({ batch }) => `lost: ${textOf(batch)} was acknowledged`)
}

/** All of its records lie where they should. */
function isThere({ batches }: FoundPartition, batch: SentBatch): boolean {
  const there = batches.get(batch.baseOffset)
  if (there === undefined || there.lastOffset !== lastOffsetOf(batch) || there.values.size !== batch.count) return false
  return Array.from({ length: batch.count }, (_, at) => there.values.get(batch.baseOffset + at) === recordOf(batch, at)).every(
    Boolean
  )
}

/** Key and value of a record, as `readPartition` writes them. */
function recordOf(batch: SentBatch, at: number): string {
  const key = batch.keys?.[at]
  return key?.startsWith('-') ? `${key.slice(1)}=` : `${key ?? ''}=${textIn(batch, at)}`
}

/** Records that nobody sent for this place, and batches that are there twice. */
function strange(place: string, found: FoundPartition, sent: Known): string[] {
  const anomalies: string[] = []
  const records = new Map<number, Set<string>>()
  for (const { batch } of sent) {
    for (let at = 0; at < batch.count; at++) {
      const offset = batch.baseOffset + at
      records.set(offset, (records.get(offset) ?? new Set()).add(recordOf(batch, at)))
    }
  }
  const seen = new Map<string, number>()
  for (const { values } of found.batches.values()) {
    for (const [offset, record] of values) {
      if (!records.get(offset)?.has(record)) anomalies.push(`strange: offset ${offset} of ${place} holds ${short(record)}`)
      const before = record.endsWith('=') ? undefined : seen.get(record)
      if (before !== undefined) anomalies.push(`doubled: ${short(record)} is at offsets ${before} and ${offset} of ${place}`)
      seen.set(record, offset)
    }
  }
  return anomalies
}

const short = (text: string): string => text.replace(/\.+$/, '')

/** What is gone in front was asked to be deleted, and what was said to be deleted is gone. */
function wrongStart(place: string, { startOffset, sizeBytes }: FoundPartition, sent: Known, tale: Tale): string[] {
  const { tried, done } = tale.deletions.get(place) ?? { tried: 0, done: 0 }
  if (startOffset < done) return [`undeleted: ${place} begins at ${startOffset}, and was deleted up to ${done}`]
  if (startOffset <= tried) return []
  if (sent[0]!.batch.topicId !== TOPIC.retained)
    return [`lost: ${place} begins at ${startOffset}, and only ${tried} was asked for`]
  if (sizeBytes >= RETENTION_BYTES) return []
  return [`lost: retention left ${sizeBytes} bytes of ${place}, and was to leave ${RETENTION_BYTES}`]
}

/** The last acknowledged record of a key stays, unless there is a later one. */
function forgottenKeys(place: string, { startOffset, batches }: FoundPartition, sent: Known): string[] {
  const wanted = new Map<string, { offset: number; record: string }>()
  for (const { batch, isStored } of sent) {
    if (!isStored) continue
    for (const [at, key] of batch.keys!.entries()) {
      const offset = batch.baseOffset + at
      const name = key.replace('-', '')
      if (offset >= startOffset && offset > (wanted.get(name)?.offset ?? -1))
        wanted.set(name, { offset, record: recordOf(batch, at) })
    }
  }
  const last = new Map<string, number>()
  for (const { values } of batches.values()) {
    for (const [offset, record] of values) {
      const name = record.slice(0, record.indexOf('='))
      last.set(name, Math.max(last.get(name) ?? -1, offset))
    }
  }
  return [...wanted]
    .filter(([name, { offset }]) => (last.get(name) ?? -1) < offset)
    .map(
      ([name, { offset, record }]) => `lost: ${short(record)}, the last of key ${name}, was acknowledged at ${offset} of ${place}`
    )
}

/** What was appended together is there together. */
function halves(batches: readonly SentBatch[], found: ReadonlyMap<string, FoundPartition>, { drops }: Tale): string[] {
  const judged = batches.filter(({ topicId }) => !drops.has(topicId))
  const there = judged.map(batch => presenceOf(found.get(placeOf(batch.topicId, batch.partition))!, batch))
  if (!there.includes(true) || !there.includes(false)) return []
  return [
    `half: of what was appended together ${judged.map((batch, at) => `${textOf(batch)} is there: ${there[at]}`).join(', ')}`
  ]
}

/** Undefined where it cannot be told: it may have been deleted since, or compacted. */
function presenceOf(found: FoundPartition, batch: SentBatch): boolean | undefined {
  if (found.highWatermark <= batch.baseOffset) return false
  if (lastOffsetOf(batch) < found.startOffset) return undefined
  if (!isCompacted(batch)) return isThere(found, batch)
  const isAny = [...found.batches.values()].some(({ values }) =>
    [...values.values()].some(record => record.includes(`=${batch.name}#`))
  )
  return isAny || undefined
}
