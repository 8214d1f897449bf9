/** Random histories of a log, told beside a model of what a log is: whatever happens, both must tell the same. */
import { isAssayError } from '@assay/errors'
import { decodeBatch } from '@assay/records'
import { silentLogger } from '@assay/std'
import { memoryStore, type Store } from '@assay/store'
import { expect } from 'vitest'
import { type FaultyDisk, faultyDisk } from '../../../test/faults/faulty-store.ts'
import { baseOffsetOf, readFacts } from '../batch-facts.ts'
import type { Flush } from '../commit.ts'
import { type JournalLog, openJournalLog } from '../journal-log.ts'
import type { Appended } from '../log.ts'
import type { StoredBatch } from '../recent.ts'
import { keepForever, type Retention } from '../retention-settings.ts'
import { counts, dump, type LogDump } from './dump.ts'
import { type FaultySegments, faultySegments } from './faulty-segments.ts'
import { type FullDisk, fullDisk } from './full-disk.ts'
import { batchOf, type TestClock, testClock, turn } from './logs.ts'
import { Model, type ModelBatch, type ModelRecord, type ModelUnit, recordsOf } from './model.ts'

const STEPS = 40

/** `count` histories, or the one of ASSAY_SEED alone. Fails with the first that the log and the model tell differently. */
export async function runHistories({ from = 1, count }: { readonly from?: number; readonly count: number }): Promise<void> {
  const only = process.env['ASSAY_SEED']
  const seeds = only === undefined ? Array.from({ length: count }, (_, at) => from + at) : [Number(only)]
  for (const seed of seeds) {
    try {
      await runHistory(seed)
    } catch (error) {
      throw new Error(`history ${seed} failed (ASSAY_SEED=${seed} runs it alone): ${(error as Error).message}`, { cause: error })
    }
  }
}

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

interface World {
  readonly random: (below: number) => number
  readonly disks: { readonly journal: FaultySegments; readonly index: FaultyDisk; readonly space: FullDisk }
  readonly options: {
    readonly flush: Flush
    readonly tailCacheBytes: number
    readonly checkpointBytes: number
    readonly segmentBytes: number
    readonly compactionKeyMapBytes: number
  }
  model: Model
  topics: string[]
  topicsMade: number
  namesMade: number
  epoch: number
  index: Store
  clock: TestClock
  opened: JournalLog
  pending: Promise<void>[]
  /** Log start offsets: below `acknowledged` nothing may come back, and nothing above `attempted` may have gone. */
  starts: Map<string, { acknowledged: number; attempted: number }>
  retention: Retention
  /** Partitions that compaction may have been at. */
  thinned: Set<string>
}

async function runHistory(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)]!
  const disks = { journal: faultySegments(), index: faultyDisk(), space: fullDisk() }
  const options = {
    flush: pick<Flush>(['commit', 'commit', 'commit', 'interval', 'never']),
    tailCacheBytes: pick([0, 300, 1 << 20]),
    checkpointBytes: pick([1, 500, 3000, 1 << 20]),
    segmentBytes: pick([100, 400, 2000, 1 << 20]),
    compactionKeyMapBytes: pick([48, 96, 1 << 16]),
    segmentsOpenMax: 2
  }
  const life = await begin(disks, options)
  const world: World = {
    ...{ random, disks, options, ...life, model: new Model(), topics: [], topicsMade: 0, namesMade: 0, epoch: 0 },
    pending: [],
    starts: new Map(),
    retention: keepForever,
    thinned: new Set()
  }
  makeTopic(world)
  makeTopic(world)
  const steps: readonly ((world: World) => void | Promise<void>)[] = [
    ...[append, append, append, append, append, appendTogether, resend, resend, sendWrong],
    ...[readSomewhere, readSomewhere, turn, turn, settle, compare, crash, restart, breakDisk, dropTopic, fillDisk, freeDisk],
    ...[deleteRecords, deleteRecords, retain, retain, upkeep, upkeep]
  ]
  for (let step = 0; step < STEPS; step++) await pick(steps)(world)
  await crash(world)
  await restart(world)
}

async function begin(disks: World['disks'], options: World['options']): Promise<Pick<World, 'index' | 'clock' | 'opened'>> {
  const clock = testClock()
  const index = await disks.space.store(disks.index.open)
  const journal = disks.space.segments(disks.journal.open())
  const freeBytes = async (): Promise<number> => (disks.space.isFull ? 0 : Number.MAX_SAFE_INTEGER)
  const parts = { journal, index, clock, freeBytes, logger: silentLogger, diskFreeBytesMin: 0 }
  return { index, clock, opened: await openJournalLog({ ...options, ...parts }) }
}

function makeTopic(world: World): void {
  world.topics.push((++world.topicsMade).toString(16).padStart(32, '0'))
  setRetention(world)
}

const nameOf = (topicId: string, partition: number): string => `${topicId}-${partition}`
const pickPartition = (world: World): string => nameOf(world.topics[world.random(world.topics.length)]!, world.random(2))
const logOf = ({ opened }: World, name: string) =>
  opened.log.partition({ topicId: name.slice(0, 32), partition: Number(name.slice(33)) })

function newBatch(world: World, partition: string): ModelBatch {
  const { random, model } = world
  const batch = { partition, name: `n${world.namesMade++}`, count: 1 + random(3) }
  const id = random(4)
  if (id === 0) return batch
  if (random(30) === 0) world.epoch++
  return { ...batch, producer: { id, epoch: world.epoch, sequence: model.nextSequence(partition, id, world.epoch) } }
}

function bytesOf(batch: ModelBatch): Buffer {
  const records = recordsOf(batch)
  const content = { keys: records.map(({ key }) => key), values: records.map(({ value }) => value) }
  const { name, producer } = batch
  if (producer === undefined) return batchOf(name, content)
  return batchOf(name, { ...content, producerId: producer.id, producerEpoch: producer.epoch, baseSequence: producer.sequence })
}

/** Sends, and keeps watch of the answer: it must be what the model said at the time of the call, unless the store fails. */
function send(world: World, batches: readonly ModelBatch[]): void {
  const { model, opened } = world
  const expected: { baseOffset: number; duplicate: boolean }[] = []
  const unit: ModelUnit = { batches: [], isAcknowledged: false }
  const before = model.units
  let refusal: string | undefined
  for (const batch of batches) {
    const verdict = model.verdict(batch)
    if (typeof verdict === 'string') {
      refusal = verdict
      break
    }
    expected.push(verdict)
    if (verdict.duplicate) continue
    unit.batches.push(batch)
    model.units = [...before, unit]
  }
  if (refusal !== undefined) model.units = before
  const logs = batches.map(({ partition }) => logOf(world, partition))
  const answer: Promise<Appended[]> =
    batches.length === 1
      ? logs[0]!.append(bytesOf(batches[0]!)).then(place => [place])
      : opened.log.appendAll(batches.map((batch, at) => ({ log: logs[at]!, batch: bytesOf(batch) })))
  const settled = answer.then(
    places => {
      expect(refusal, `${JSON.stringify(batches)} should have been refused`).toBeUndefined()
      expect(places.map(({ baseOffset, duplicate }) => ({ baseOffset, duplicate }))).toEqual(expected)
      unit.isAcknowledged = true
      for (const [at, { lastOffset }] of places.entries()) {
        expect(logs[at]!.highWatermark, 'what is acknowledged is visible, duplicates included').toBeGreaterThan(lastOffset)
      }
    },
    error => {
      unit.isRefused = isAssayError(error, 'STORE_FULL')
      if (isAssayError(error, 'STORE_FAILED', 'STORE_FULL')) return
      expect(isAssayError(error) && error.code, String(error)).toBe(refusal ?? 'no error')
    }
  )
  // Looked at by `settle`; a failure must not count as unhandled until then.
  settled.catch(() => {})
  world.pending.push(settled)
}

const append = (world: World): void => send(world, [newBatch(world, pickPartition(world))])

function appendTogether(world: World): void {
  const partitions = new Set(Array.from({ length: 3 }, () => pickPartition(world)))
  send(
    world,
    [...partitions].map(partition => newBatch(world, partition))
  )
}

function resend(world: World): void {
  const partition = pickPartition(world)
  const sent = world.model.sentBy(partition, 1 + world.random(3))
  const again = sent[sent.length - 1 - world.random(Math.min(sent.length, 7))]
  if (again !== undefined) send(world, [again])
}

function sendWrong(world: World): void {
  const batch = newBatch(world, pickPartition(world))
  if (batch.producer === undefined) return
  const { producer } = batch
  const wrong = world.random(2)
    ? { ...producer, sequence: producer.sequence + 1 + world.random(9) }
    : { ...producer, epoch: producer.epoch - 1 }
  // Of an unknown producer anything is taken; the history would then begin in the middle, which the model does not number.
  if (wrong.epoch < 0 || typeof world.model.verdict({ ...batch, producer: wrong }) !== 'string') return
  send(world, [newBatch(world, pickPartition(world)), { ...batch, producer: wrong }].slice(world.random(2)))
}

const recordsIn = (batches: readonly Buffer[]): ModelRecord[] =>
  batches.flatMap(batch =>
    decodeBatch(batch, 1 << 20).map(({ offset, key, value }) => ({
      offset,
      key: key!.toString(),
      value: value === null ? null : value.toString()
    }))
  )

/** The batches follow each other without a gap; what is in them was appended, and nothing is missing that has to be there. */
function expectRecords(
  world: World,
  partition: string,
  batches: readonly Buffer[]
): { readonly from: number; readonly to: number } {
  const from = baseOffsetOf(batches[0]!)
  let to = from
  for (const batch of batches) {
    expect(baseOffsetOf(batch)).toBe(to)
    to += readFacts(batch).lastOffsetDelta + 1
  }
  const isWithin = ({ offset }: ModelRecord): boolean => offset >= from && offset < to
  const found = recordsIn(batches)
  const all = world.model.records(partition).filter(isWithin)
  if (!world.thinned.has(partition)) expect(found).toEqual(all)
  const offsets = new Set(found.map(({ offset }) => offset))
  expect(found).toEqual(all.filter(({ offset }) => offsets.has(offset)))
  expect(found).toEqual(expect.arrayContaining(world.model.lasting(partition).filter(isWithin)))
  return { from, to }
}

async function readSomewhere(world: World): Promise<void> {
  const partition = pickPartition(world)
  const log = logOf(world, partition)
  const { startOffset: start, highWatermark: end } = log
  const from = start + world.random(end - start + 1)
  const batches = await log.read(from, { bytesMax: world.random(2000) }).catch(error => {
    // An older segment that nobody has open cannot be opened without space.
    if (isAssayError(error, 'STORE_FULL') && world.disks.space.isFull) return
    // It may have been deleted meanwhile.
    expect(isAssayError(error, 'OFFSET_OUT_OF_RANGE') && log.startOffset > from, String(error)).toBe(true)
  })
  if (batches === undefined) return
  expect(batches.length > 0 || from === end).toBe(true)
  if (batches.length === 0) return
  const read = expectRecords(world, partition, batches)
  expect(read.from).toBeLessThanOrEqual(from)
  expect(read.to).toBeGreaterThan(from)
}

function startsOf({ starts, retention }: World, partition: string): { acknowledged: number; attempted: number } {
  const known = starts.get(partition) ?? { acknowledged: 0, attempted: isDeleting(retention) ? Number.POSITIVE_INFINITY : 0 }
  starts.set(partition, known)
  return known
}

const isDeleting = ({ cleanup, retentionBytes }: Retention): boolean => cleanup !== 'compact' && retentionBytes >= 0

function deleteRecords(world: World): void {
  const partition = pickPartition(world)
  const log = logOf(world, partition)
  const before = world.random(log.highWatermark + 1)
  const start = startsOf(world, partition)
  start.attempted = Math.max(start.attempted, before)
  const done = log.highWatermark === 0 ? Promise.resolve() : deleted()
  async function deleted(): Promise<void> {
    try {
      const offset = await world.opened.log.deleteRecords(log, before)
      expect(offset).toBeGreaterThanOrEqual(before)
      start.acknowledged = Math.max(start.acknowledged, before)
    } catch (error) {
      if (!isAssayError(error, 'STORE_FAILED', 'STORE_FULL', 'PARTITION_NOT_FOUND')) throw error
    }
  }
  done.catch(() => {})
  world.pending.push(done)
}

/** The next upkeep, whoever causes it, deletes what is too much, and compacts. */
function retain(world: World): void {
  const pick = <T>(choices: readonly T[]): T => choices[world.random(choices.length)]!
  world.retention = {
    ...keepForever,
    cleanup: pick(['delete', 'delete', 'compact', 'compact', 'compact,delete']),
    retentionBytes: world.random(3) === 0 ? -1 : world.random(2000),
    deleteRetentionMs: pick([0, 100_000]),
    minCleanableDirtyRatio: pick([0, 0.3])
  }
  setRetention(world)
}

function setRetention(world: World): void {
  const { opened, retention } = world
  opened.log.retainBy(() => retention)
  for (const partition of partitionsOf(world)) {
    if (isDeleting(retention)) startsOf(world, partition).attempted = Number.POSITIVE_INFINITY
    if (retention.cleanup !== 'delete') world.thinned.add(partition)
  }
}

function upkeep(world: World): void {
  world.pending.push(world.opened.log.upkeep())
}

async function settle(world: World): Promise<void> {
  await Promise.all(world.pending)
  world.pending = []
}

async function compare(world: World): Promise<void> {
  await freeDisk(world)
  await settle(world)
  await world.opened.log.upkeep()
  const live = await dump(world.opened.state)
  if (Object.values(live.partitions).some(({ logEndOffset, highWatermark }) => logEndOffset !== highWatermark)) return
  expect(await replayed(world, await copyOf(world.index))).toEqual(live)
  await expectCounted(world)
  expectSameBatches(world, live, await replayed(world, memoryStore()))
  for (const partition of partitionsOf(world)) expectRetained(world, partition)
}

/** On a copy, whose opening and upkeep end with all in the index. */
async function expectCounted(world: World): Promise<void> {
  const index = await copyOf(world.index)
  const { log, state } = await openJournalLog({
    ...{ journal: await world.disks.journal.copy(), index, clock: testClock(), logger: silentLogger }
  })
  await log.keepOnly(new Set(world.topics))
  await log.upkeep()
  const { counted, found } = await counts(state)
  expect(counted).toEqual(found)
  await log.close()
}

async function copyOf(store: Store): Promise<Store> {
  const copy = memoryStore()
  const rows = await store.range({})
  await copy.batch(
    rows.map(({ key, value }) => ({ type: 'put', key, value })),
    { sync: true }
  )
  return copy
}

/** The state that comes of the journal, with what an index knows of it. */
async function replayed(world: World, index: Store): Promise<LogDump> {
  const journal = await world.disks.journal.copy()
  const { log, state } = await openJournalLog({ journal, index, clock: testClock(), logger: silentLogger })
  await log.keepOnly(new Set(world.topics))
  const dumped = await dump(state)
  await log.close()
  return dumped
}

/** Of the journal alone: what was deleted may be there again, and what only deleted batches knew is not. */
function expectSameBatches({ thinned }: World, live: LogDump, alone: LogDump): void {
  for (const [name, partition] of Object.entries(live.partitions)) {
    if (partition.batches.length === 0) continue
    const rebuilt = alone.partitions[name]
    const isOriginal =
      !thinned.has(name) && partition.startOffset === 0 && isAscending(partition.batches.map(({ sequence }) => sequence))
    if (isOriginal) {
      expect(rebuilt).toEqual(partition)
      continue
    }
    const withoutMaximum = ({ runningMaxTimestampMs: _, ...batch }: StoredBatch): unknown => batch
    const kept = rebuilt?.batches.filter(({ lastOffset }) => lastOffset >= partition.startOffset)
    expect(kept?.map(withoutMaximum)).toEqual(partition.batches.map(withoutMaximum))
    expect(rebuilt!.logEndOffset).toBe(partition.logEndOffset)
  }
}

const isAscending = (numbers: readonly number[]): boolean => numbers.every((number, at) => at === 0 || number > numbers[at - 1]!)

/** As much as was to be kept is kept, and not one batch more. */
function expectRetained(world: World, name: string): void {
  const { opened, model, retention, thinned } = world
  const partition = opened.state.partitions.get(name)
  if (!isDeleting(retention) || thinned.has(name) || partition === undefined || partition.batchCount === 0) return
  const first = model.batches(name).find(({ lastOffset }) => lastOffset >= partition.startOffset)!
  expect(partition.sizeBytes - bytesOf(first.batch).length).toBeLessThan(retention.retentionBytes)
}

/** Power goes, in the middle of whatever is under way. */
async function crash(world: World): Promise<void> {
  const { disks, options, random } = world
  // The state ahead of the disk may be written, in order, up to any point. The index must not be ahead of the journal then.
  const keepJournal = options.flush === 'commit' || random(2) ? random(4) : Number.POSITIVE_INFINITY
  await Promise.all([disks.journal.crash({ keepUnsynced: keepJournal }), disks.index.crash({ keepUnsynced: random(4) })])
  await settle(world)
  await world.opened.log.close().catch(() => {})
  await reopen(world)
}

async function restart(world: World): Promise<void> {
  const { log } = world.opened
  await Promise.all([settle(world), log.close().catch(() => {})])
  await reopen(world)
}

async function reopen(world: World): Promise<void> {
  const { disks, options } = world
  disks.space.free()
  Object.assign(world, await begin(disks, options))
  await world.opened.log.keepOnly(new Set(world.topics))
  world.model = survivors(world)
  setRetention(world)
  for (const partition of partitionsOf(world)) await expectKept(world, partition)
  await compare(world)
}

async function expectKept(world: World, partition: string): Promise<void> {
  const log = logOf(world, partition)
  const start = startsOf(world, partition)
  expect(log.startOffset).toBeGreaterThanOrEqual(start.acknowledged)
  expect(log.startOffset).toBeLessThanOrEqual(start.attempted)
  start.acknowledged = log.startOffset
  if (!isDeleting(world.retention)) start.attempted = log.startOffset
  const batches = await log.read(log.startOffset, { bytesMax: Number.MAX_SAFE_INTEGER })
  if (batches.length > 0) expect(expectRecords(world, partition, batches).to).toBe(log.highWatermark)
  expect(log.highWatermark).toBe(world.model.records(partition).length)
}

const partitionsOf = ({ topics }: World): string[] => topics.flatMap(topicId => [nameOf(topicId, 0), nameOf(topicId, 1)])

/** What is on disk must be the units up to some point: with `flush: commit`, all that are acknowledged among them. */
function survivors(world: World): Model {
  const { units } = world.model
  const offsets = new Map(partitionsOf(world).map(partition => [partition, logOf(world, partition).highWatermark]))
  const kept = new Model()
  const reached = new Map<string, number>()
  for (const unit of units) {
    const batches = unit.batches.filter(({ partition }) => offsets.has(partition))
    const isThere = batches.every(({ partition, count }) => (reached.get(partition) ?? 0) + count <= offsets.get(partition)!)
    if (!isThere) break
    for (const { partition, count } of batches) reached.set(partition, (reached.get(partition) ?? 0) + count)
    kept.units.push({ batches, isAcknowledged: true })
  }
  const lost = units.slice(kept.units.length)
  if (world.options.flush === 'commit') expect(lost.filter(({ isAcknowledged }) => isAcknowledged)).toEqual([])
  return kept
}

/** The log fails, and is opened again, like after mending the disk. */
async function breakDisk(world: World): Promise<void> {
  const broken = world.random(3)
  if (broken === 0) world.disks.journal.failWrite(1 + world.random(2))
  else if (broken === 1) world.disks.journal.failNextRoll()
  else world.disks.journal.failNextSync()
  append(world)
  append(world)
  await settle(world)
  await crash(world)
}

/** In the middle of whatever is under way; what follows meets it sooner or later. */
function fillDisk({ disks, random }: World): void {
  disks.space.fill({ isLate: random(2) === 0 })
}

/** The log goes on by itself, within the second, without what it refused. */
async function freeDisk(world: World): Promise<void> {
  const { disks, clock, opened } = world
  if (!disks.space.isFull) return
  disks.space.free()
  await settle(world)
  clock.advance(1000)
  for (let turns = 0; opened.log.refusal !== undefined; turns++) {
    expect(turns, `it goes on by itself: ${opened.log.refusal.message}`).toBeLessThan(1000)
    await turn()
  }
  world.model.units = world.model.units.filter(({ isRefused }) => isRefused !== true)
}

/** In the middle of whatever is under way; power may go before it is done. */
async function dropTopic(world: World): Promise<void> {
  if (world.random(4) > 0) return
  const [gone] = world.topics.splice(world.random(world.topics.length), 1)
  makeTopic(world)
  const dropped = world.opened.log.drop(gone!).catch(error => {
    if (!isAssayError(error, 'STORE_FAILED', 'STORE_FULL')) throw error
  })
  for (const unit of world.model.units) unit.batches = unit.batches.filter(({ partition }) => !partition.startsWith(gone!))
  for (let turns = world.random(4); turns > 0; turns--) await turn()
  if (world.random(2)) await crash(world)
  await dropped
}
