/**
 * Random histories of several producers by both protocols, with second producers, late ends, time running out, restarts and crashes, against
 * a model of a few lines: what readers are shown at each isolation level, where the log is stable, and which offsets count.
 */
import { offsetCommit } from '@assay/protocol'
import { expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../../../test/suites/random.ts'
import { openEngine, settle, type TestEngine } from '../engine.fixture.ts'
import {
  begin,
  commitOffset,
  committedOffset,
  finish,
  makeTopic,
  producerOf,
  read,
  type TestProducer,
  write
} from './producer.fixture.ts'

const PARTITIONS = 2
const HISTORIES = Number(process.env['ASSAY_HISTORIES'] ?? 8)
const STEPS = 60
const TIMEOUT_MS = 10_000

interface Transaction {
  state: 'open' | 'commit' | 'abort'
  readonly partitions: Set<number>
  /** With the place of their record among all commits. */
  readonly offsets: { readonly partition: number; readonly offset: number; readonly order: number }[]
  startedMs: number
}

type Entry = { readonly value: string; readonly of: Transaction } | 'marker'

class Model {
  readonly logs: Entry[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly open = new Map<string, Transaction>()
  readonly committed = new Map<number, { readonly offset: number; readonly order: number }>()
  order = 0

  take(id: string, nowMs: number): Transaction {
    const known = this.open.get(id)
    if (known !== undefined) return known
    const made: Transaction = { state: 'open', partitions: new Set(), offsets: [], startedMs: nowMs }
    this.open.set(id, made)
    return made
  }
  end(id: string, how: 'commit' | 'abort'): void {
    const transaction = this.open.get(id)
    if (transaction === undefined) return
    this.open.delete(id)
    transaction.state = how
    for (const partition of transaction.partitions) this.logs[partition]!.push('marker')
    if (how === 'commit') for (const { partition, offset, order } of transaction.offsets) this.commit(partition, offset, order)
  }
  commit(partition: number, offset: number, order: number): void {
    const known = this.committed.get(partition)
    if (known === undefined || known.order < order) this.committed.set(partition, { offset, order })
  }
  stableEnd(partition: number): number {
    const log = this.logs[partition]!
    const first = log.findIndex(entry => entry !== 'marker' && entry.of.state === 'open')
    return first < 0 ? log.length : first
  }
  values(partition: number, committed: boolean): string[] {
    const log = committed ? this.logs[partition]!.slice(0, this.stableEnd(partition)) : this.logs[partition]!
    return log.flatMap(entry => (entry === 'marker' || (committed && entry.of.state !== 'commit') ? [] : [entry.value]))
  }
  isPending(partition: number): boolean {
    return [...this.open.values()].some(({ offsets }) => offsets.some(one => one.partition === partition))
  }
}

async function play(seed: number): Promise<void> {
  const random = randomOf(seed)
  let on: TestEngine = await openEngine()
  await makeTopic(on, PARTITIONS)
  const model = new Model()
  const producers: TestProducer[] = []
  for (const [at, protocol] of ([1, 2, 2] as const).entries()) {
    const producer = producerOf(on, protocol, `p${at}`)
    expect(await begin(producer, { timeoutMs: TIMEOUT_MS })).toBe(0)
    producers.push(producer)
  }
  let value = 0

  async function check(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const committed = await read(on, partition)
      expect(committed.values, 'committed').toEqual(model.values(partition, true))
      expect(committed.lastStableOffset).toBe(model.stableEnd(partition))
      expect(committed.highWatermark).toBe(model.logs[partition]!.length)
      expect((await read(on, partition, { committed: false })).values, 'all').toEqual(model.values(partition, false))
      // From anywhere a reader is told enough to pass over what was aborted.
      const from = random(committed.lastStableOffset + 1)
      const tail = (await read(on, partition, { from })).values
      expect(tail.every(one => committed.values.includes(one))).toBe(true)
      expect(tail).toEqual(committed.values.slice(committed.values.length - tail.length))
      const expected = model.isPending(partition) ? 'unstable' : (model.committed.get(partition)?.offset ?? -1)
      expect(await committedOffset(on, { partition }), 'offset').toBe(expected)
    }
  }

  async function reopen(how: 'restart' | 'crash'): Promise<void> {
    on = await on[how]()
    for (const producer of producers) producer.on = on
  }

  for (let step = 0; step < STEPS; step++) {
    const producer = producers[random(producers.length)]!
    const partition = random(PARTITIONS)
    const what = random(100)
    if (what < 40) {
      expect(await write(producer, partition, String(++value))).toBe(0)
      const of = model.take(producer.id, on.clock.now())
      of.partitions.add(partition)
      model.logs[partition]!.push({ value: String(value), of })
    } else if (what < 52) {
      const offset = random(1000)
      expect(await commitOffset(producer, offset, { partition })).toBe(0)
      model.take(producer.id, on.clock.now()).offsets.push({ partition, offset, order: ++model.order })
    } else if (what < 57) {
      const offset = random(1000)
      const partitions = [{ partitionIndex: partition, committedOffset: BigInt(offset), committedMetadata: '' }]
      await on.ask(offsetCommit, { groupId: 'g', topics: [{ name: 't', partitions }] }, { version: 9 })
      model.commit(partition, offset, ++model.order)
    } else if (what < 80) {
      const how = random(3) === 0 ? 'abort' : 'commit'
      const isOpen = model.open.has(producer.id)
      const before = { ...producer, sequences: new Map() }
      const error = await finish(producer, how)
      if (isOpen) {
        expect(error).toBe(0)
        model.end(producer.id, how)
        // The same request once more: the network sends what it likes. By the first protocol it may only come before the next transaction.
        if (random(3) === 0) expect(await finish(before, how)).toBe(0)
      }
    } else if (what < 86) {
      const second = producerOf(on, producer.protocol, producer.id)
      expect(await begin(second, { timeoutMs: TIMEOUT_MS })).toBe(0)
      model.end(producer.id, 'abort')
      expect(await write(producer, partition, 'from a zombie')).not.toBe(0)
      expect(await finish(producer, 'commit')).not.toBe(0)
      producers[producers.indexOf(producer)] = second
    } else if (what < 90) {
      on.clock.advance(random(TIMEOUT_MS))
      for (let turn = 0; turn < 10; turn++) await settle()
      for (const [at, one] of producers.entries()) {
        const open = model.open.get(one.id)
        if (open === undefined || on.clock.now() - open.startedMs < TIMEOUT_MS) continue
        model.end(one.id, 'abort')
        expect(await write({ ...one, sequences: new Map(one.sequences) }, partition, 'too late')).not.toBe(0)
        const again = producerOf(on, one.protocol, one.id)
        expect(await begin(again, { timeoutMs: TIMEOUT_MS })).toBe(0)
        producers[at] = again
      }
    } else await reopen(what < 95 ? 'restart' : 'crash')
    if (random(4) === 0) await check()
  }
  await reopen('crash')
  await check()
}

test(`${HISTORIES} random histories are what the model says`, { timeout: 60_000 }, async () => {
  const first = seedOfRun()
  for (let seed = first; seed < first + HISTORIES; seed++) {
    try {
      await play(seed)
    } catch (error) {
      throw new Error(`ASSAY_SEED=${seed} ASSAY_HISTORIES=1 plays this again`, { cause: error })
    }
  }
})
