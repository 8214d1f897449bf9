/** Logs and batches for tests. */
import { encodeBatch, type NewBatch } from '@assay/records'
import { type Clock, type Logger, silentLogger, type Timer } from '@assay/std'
import { memorySegments, memoryStore, type Segments, type Store } from '@assay/store'
import { type JournalLog, type LogOptions, openJournalLog } from '../journal-log.ts'

export const TOPIC_A = 'a'.repeat(32)
export const TOPIC_B = 'b'.repeat(32)

/** A batch of records with keys; a null value is a tombstone. */
export const keyedBatch = (
  entries: readonly (readonly [key: string | null, value: string | null])[],
  options: Partial<NewBatch> = {}
): Buffer =>
  encodeBatch({
    records: entries.map(([key, value]) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value)
    })),
    baseTimestampMs: 1000,
    ...options
  })

/** A batch of `count` records whose values tell its name, unless there are `values`; without `keys` they have none. */
export function batchOf(
  name: string,
  options: Partial<NewBatch> & {
    readonly count?: number
    readonly timesMs?: readonly number[]
    readonly keys?: readonly string[]
    readonly values?: readonly (string | null)[]
  } = {}
): Buffer {
  const { count = options.timesMs?.length ?? options.keys?.length ?? 1, timesMs, keys, values, ...batch } = options
  const records = Array.from({ length: count }, (_, at) => ({
    key: keys === undefined ? null : Buffer.from(keys[at]!),
    value: bytesOrNull(values === undefined ? `${name}.${at}` : values[at]!),
    ...(timesMs && { timestampMs: timesMs[at]! })
  }))
  return encodeBatch({ records, baseTimestampMs: timesMs?.[0] ?? 1000, ...batch })
}

const bytesOrNull = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))

export interface TestClock extends Clock {
  advance(ms: number): void
  /** Sets the clock forward, or back: timers count on as before. */
  jump(ms: number): void
  /** What has passed, whatever was done to the clock. */
  elapsed(): number
}

export function testClock(startMs = 1_000_000): TestClock {
  let nowMs = startMs
  let jumpedMs = 0
  let timers: { readonly atMs: number; readonly run: () => void }[] = []
  return {
    now: () => nowMs + jumpedMs,
    jump(ms) {
      jumpedMs += ms
    },
    elapsed: () => nowMs,
    after(ms, run): Timer {
      const timer = { atMs: nowMs + ms, run }
      timers.push(timer)
      return {
        cancel() {
          timers = timers.filter(other => other !== timer)
        }
      }
    },
    advance(ms) {
      nowMs += ms
      const due = timers.filter(({ atMs }) => atMs <= nowMs)
      timers = timers.filter(({ atMs }) => atMs > nowMs)
      for (const { run } of due) run()
    }
  }
}

/** Of the event loop: who does nothing but read from memory leaves writers none. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Stores that outlive the log that closes them. */
export interface KeptStores {
  readonly journal: Store
  readonly index: Store
}

export function keptStores(): KeptStores {
  return { journal: keep(memoryStore()), index: keep(memoryStore()) }
}

const keep = (store: Store): Store => ({ ...store, close: async () => {} })

/** Several segments that outlive the log. */
export function keptSegments(): { readonly journal: Segments; readonly index: Store } {
  return { journal: memorySegments(), index: keep(memoryStore()) }
}

export function openTestLog(
  options: { readonly journal?: Segments | Store; readonly index?: Store } & LogOptions & {
      readonly clock?: Clock
      readonly logger?: Logger
    } = {}
): Promise<JournalLog> {
  return openJournalLog({ ...keptStores(), clock: testClock(), logger: silentLogger, ...options })
}
