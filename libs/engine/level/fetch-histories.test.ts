/**
 * Random histories of a reader that keeps a fetch session: whatever happens, a reader that is told nothing more knows everything. The seed
 * is printed; ASSAY_SEED repeats a run.
 */
import { createTopics, deleteRecords, errorName, fetch, produce } from '@assay/protocol'
import { decodeBatch } from '@assay/records'
import { expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../../test/suites/random.ts'
import { openEngine, records, type TestEngine } from './engine.fixture.ts'

const PARTITIONS = 6
const STEPS = 400
const HISTORIES = 10

/** What the reader believes of a partition. */
interface Believed {
  next: number
  highWatermark: number
  startOffset: number
  readonly values: string[]
}

interface Reader {
  readonly followed: Map<number, Believed>
  session: { id: number; epoch: number }
  /** Partitions to be named in the next request: new ones, and those whose position has moved. */
  readonly changed: Set<number>
  readonly forgotten: Set<number>
}

const newPartition = (): Believed => ({ next: 0, highWatermark: -1, startOffset: -1, values: [] })

async function ask(on: TestEngine, topicId: string, reader: Reader, bytesMax: number): Promise<boolean> {
  const { followed, session, changed, forgotten } = reader
  const isFull = session.epoch === 0
  const named = isFull ? [...followed.keys()] : [...changed].filter(index => followed.has(index))
  const partitions = named.map(partition => ({
    partition,
    fetchOffset: BigInt(followed.get(partition)!.next),
    partitionMaxBytes: bytesMax
  }))
  const forgottenTopicsData = isFull || forgotten.size === 0 ? [] : [{ topicId, partitions: [...forgotten] }]
  const topics = partitions.length === 0 ? [] : [{ topicId, partitions }]
  const base = { sessionId: session.id, sessionEpoch: session.epoch, maxBytes: bytesMax, minBytes: 0, maxWaitMs: 0 }
  const answer = await on.ask(fetch, { ...base, topics, forgottenTopicsData })
  changed.clear()
  forgotten.clear()
  if (answer.errorCode !== 0) {
    expect(errorName(answer.errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    reader.session = { id: 0, epoch: 0 }
    return true
  }
  reader.session = answer.sessionId === 0 ? { id: 0, epoch: 0 } : { id: answer.sessionId, epoch: isFull ? 1 : session.epoch + 1 }
  let hasNews = false
  for (const partition of answer.responses.flatMap(topic => topic.partitions)) {
    const known = followed.get(partition.partitionIndex)
    expect(known, `partition ${partition.partitionIndex} was forgotten`).toBeDefined()
    if (partition.errorCode !== 0) {
      // What he would read next was deleted: he begins where the log does.
      expect(errorName(partition.errorCode)).toBe('OFFSET_OUT_OF_RANGE')
      known!.next = on.engine.partition('t', partition.partitionIndex)!.startOffset
      changed.add(partition.partitionIndex)
      hasNews = true
      continue
    }
    known!.highWatermark = Number(partition.highWatermark)
    known!.startOffset = Number(partition.logStartOffset)
    const bytes = Buffer.concat(partition.records ?? [])
    for (let at = 0; at < bytes.length; at += 12 + bytes.readInt32BE(at + 8)) {
      for (const { offset, value } of decodeBatch(bytes.subarray(at, at + 12 + bytes.readInt32BE(at + 8)), 1 << 20)) {
        if (offset < known!.next) continue
        known!.values.push(`${offset} ${value}`)
        known!.next = offset + 1
      }
      changed.add(partition.partitionIndex)
      hasNews = true
    }
  }
  return hasNews || isFull
}

const seed = seedOfRun()
test(`random histories of fetch sessions from seed ${seed} (ASSAY_SEED repeats them)`, async () => {
  for (let history = 0; history < HISTORIES; history++) {
    const random = randomOf(seed + history)
    // In every other history there is no room for all that is asked.
    const on = await openEngine(history % 2 === 0 ? {} : { fetchSessionPartitionsMax: PARTITIONS - 2 })
    const topic = { name: 't', numPartitions: PARTITIONS, replicationFactor: 1 }
    const { topicId } = (await on.ask(createTopics, { topics: [topic] })).topics[0]!
    const reader: Reader = {
      followed: new Map([[0, newPartition()]]),
      session: { id: 0, epoch: 0 },
      changed: new Set(),
      forgotten: new Set()
    }
    const written = Array.from({ length: PARTITIONS }, (): string[] => [])
    for (let step = 0; step < STEPS; step++) {
      const index = random(PARTITIONS)
      const what = random(12)
      if (what < 4) {
        const value = `${step}`
        const topicData = [{ name: 't', partitionData: [{ index, records: records(on.clock, value, `${value}b`) }] }]
        await on.ask(produce, { acks: -1, topicData }, { version: 12 })
        written[index]!.push(`${written[index]!.length} ${value}`, `${written[index]!.length + 1} ${value}b`)
      } else if (what === 4) {
        const { highWatermark } = on.engine.partition('t', index)!
        const partitions = [{ partitionIndex: index, offset: BigInt(random(highWatermark + 1)) }]
        await on.ask(deleteRecords, { topics: [{ name: 't', partitions }] })
      } else if (what === 5 && reader.followed.size > 1) {
        if (reader.followed.delete(index)) reader.forgotten.add(index)
        reader.changed.delete(index)
      } else if (what === 6 && !reader.followed.has(index)) {
        reader.followed.set(index, newPartition())
        reader.changed.add(index)
        // Forgotten and named in one request is forgotten: he waits for the next.
        if (reader.forgotten.has(index)) {
          reader.followed.delete(index)
          reader.changed.delete(index)
        }
      } else if (what === 7 && random(5) === 0) reader.session = { id: 0, epoch: 0 }
      else await ask(on, topicId, reader, random(3) === 0 ? 1 : 100_000)
    }
    for (let left = 200; (await ask(on, topicId, reader, 1000)) || reader.changed.size > 0; left--) {
      expect(left, 'the reader comes to an end').toBeGreaterThan(0)
      if (reader.session.epoch === 0 && history % 2 === 1 && left < 180) break
    }
    for (const [index, { next, highWatermark, startOffset, values }] of reader.followed) {
      const log = on.engine.partition('t', index)!
      expect({ index, next, highWatermark, startOffset }).toEqual({
        index,
        next: log.highWatermark,
        highWatermark: log.highWatermark,
        startOffset: log.startOffset
      })
      expect(new Set(values).size).toBe(values.length)
      for (const value of values) expect(written[index]).toContain(value)
    }
    await on.engine.close()
    await on.log.close()
  }
}, 60_000)
