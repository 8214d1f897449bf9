/**
 * A process that does everything to a log that can be done, and tells it line by line (log-tale.ts). It is cut off from outside, or kills
 * itself: several lives of it, one after the other, work on one directory.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isAssayError } from '@assay/errors'
import { keepForever, type Log, type LogOptions, openLog, openLogOver } from '@assay/log'
import { silentLogger, systemClock } from '@assay/std'
import { fileSegments, openLevel } from '@assay/store'
import { randomOf } from '../suites/random.ts'
import { bytesOf, RETENTION_BYTES, type SentBatch, TOPIC, type Told } from './log-tale.ts'

export interface WorkloadOptions {
  readonly directory: string
  /** Where it tells; lines are appended. */
  readonly tale: string
  readonly seed: number
  /** Different for each life on a directory. */
  readonly life: number
  readonly steps: number
  /** What the life before was told nothing about, to be sent again. */
  readonly again: readonly SentBatch[]
  /** Kills itself at the end instead of closing the log. */
  readonly isKilled: boolean
  /** Small write buffers, so that LevelDB makes tables while it runs. Needs a directory that is there. */
  readonly hasSmallBuffers?: boolean
  /** Values this much larger. Default 0. */
  readonly padBytes?: number
  readonly log?: LogOptions
}

/** The arguments that make Node run it. They name a file beside the tale, for what was not answered may be too much for a command line. */
export function workloadArguments(options: WorkloadOptions): string[] {
  const path = `${options.tale}.options`
  writeFileSync(path, JSON.stringify(options))
  return [import.meta.filename, path]
}

const IN_FLIGHT_MAX = 6
const PRODUCERS = 3
export const workloadLog: LogOptions = {
  segmentBytes: 20_000,
  checkpointBytes: 6000,
  checkpointIntervalMs: 20,
  retentionCheckIntervalMs: 40,
  segmentsOpenMax: 3
}

export async function openWorkloadLog({ directory, hasSmallBuffers = false, log }: WorkloadOptions): Promise<Log> {
  const options = { ...workloadLog, ...log, clock: systemClock, logger: silentLogger }
  const opened = hasSmallBuffers
    ? await openLogOver({
        ...options,
        journal: fileSegments(join(directory, 'journal')),
        index: await openLevel(join(directory, 'index'), { writeBufferBytes: 1 << 16 })
      })
    : await openLog({ ...options, directory })
  opened.retainBy(topicId => ({
    ...keepForever,
    retentionBytes: topicId === TOPIC.retained ? RETENTION_BYTES : -1,
    cleanup: topicId === TOPIC.compacted ? 'compact' : 'delete',
    minCleanableDirtyRatio: 0.2
  }))
  return opened
}

async function run(options: WorkloadOptions): Promise<void> {
  const random = randomOf(options.seed)
  const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)]!
  const tale = openSync(options.tale, 'a')
  const tell = (line: Told): void => void writeSync(tale, `${JSON.stringify(line)}\n`)
  let log = await openWorkloadLog(options)
  let unit = options.life * 1_000_000
  let topicsMade = 0
  let doomed = newTopic()
  const sequences = new Map<string, number>()
  const flying = new Set<Promise<void>>()

  function newTopic(): string {
    return `${options.life.toString(16)}e${(topicsMade++).toString(16)}`.padStart(32, '0')
  }

  const choices: readonly (() => [string, number])[] = [
    () => [TOPIC.plain, random(3)],
    () => [TOPIC.plain, random(3)],
    () => [TOPIC.retained, random(2)],
    () => [TOPIC.compacted, 0],
    () => [TOPIC.deleted, 0],
    () => [doomed, random(2)]
  ]

  function newBatch({ isIdempotent }: { readonly isIdempotent: boolean }): SentBatch {
    const [topicId, partition] = pick(choices)()
    const count = 1 + random(3)
    const id = random(PRODUCERS) + options.life * PRODUCERS
    const keys =
      topicId === TOPIC.compacted ? Array.from({ length: count }, () => `${random(4) === 0 ? '-' : ''}k${random(8)}`) : undefined
    const batch = {
      ...{ topicId, partition, count, name: `${unit}/${topicId.slice(-3)}-${partition}`, baseOffset: 0 },
      padBytes: random(10) === 0 ? 3000 + (options.padBytes ?? 0) : random(300 + (options.padBytes ?? 0)),
      ...(keys && { keys })
    }
    return isIdempotent ? { ...batch, producer: { id, sequence: nextSequence(batch, id) } } : batch
  }

  function nextSequence({ topicId, partition, count }: Pick<SentBatch, 'topicId' | 'partition' | 'count'>, id: number): number {
    const key = `${topicId}-${partition}-${id}`
    const sequence = sequences.get(key) ?? 0
    sequences.set(key, sequence + count)
    return sequence
  }

  function send(made: readonly SentBatch[]): void {
    const mine = unit++
    const logs = made.map(({ topicId, partition }) => log.partition({ topicId, partition }))
    // Nothing waits for room in the queue: offsets are given at the call.
    const batches = made.map((batch, at) => ({ ...batch, baseOffset: logs[at]!.logEndOffset }))
    tell({ tell: 'send', unit: mine, batches })
    own(async () => {
      const places = await log.appendAll(batches.map((batch, at) => ({ log: logs[at]!, batch: bytesOf(batch) })))
      tell({ tell: 'stored', unit: mine, offsets: places.map(({ baseOffset }) => baseOffset) })
    })
  }

  /** What fails because its topic is being dropped is no fault. */
  function own(work: () => Promise<void>): void {
    const done = work()
      .catch(error => {
        if (!isAssayError(error, 'PARTITION_NOT_FOUND')) throw error
      })
      .finally(() => flying.delete(done))
    flying.add(done)
  }

  function sendTogether(): void {
    const batches = Array.from({ length: 4 }, () => newBatch({ isIdempotent: false }))
    send([...new Map(batches.map(batch => [`${batch.topicId}-${batch.partition}`, batch])).values()])
  }

  function deleteRecords(): void {
    const key = { topicId: TOPIC.deleted, partition: 0 }
    const partition = log.partition(key)
    const before = random(partition.highWatermark + 1)
    tell({ tell: 'delete', ...key, before })
    own(async () => {
      await log.deleteRecords(partition, before)
      tell({ tell: 'deleted', ...key, before })
    })
  }

  function drop(): void {
    const topicId = doomed
    doomed = newTopic()
    tell({ tell: 'drop', topicId })
    own(async () => {
      await log.drop(topicId)
      tell({ tell: 'dropped', topicId })
    })
  }

  const settle = async (): Promise<void> => void (await Promise.all(flying))

  async function reopen(): Promise<void> {
    await settle()
    await log.close()
    log = await openWorkloadLog(options)
  }

  for (const batch of options.again) {
    const partition = log.partition(batch)
    tell({ tell: 'send', unit: unit++, batches: [{ ...batch, baseOffset: partition.logEndOffset }] })
    const { baseOffset } = await partition.append(bytesOf(batch))
    // Only the log knows whether it was there already.
    tell({ tell: 'send', unit, batches: [{ ...batch, baseOffset }] })
    tell({ tell: 'stored', unit: unit++, offsets: [baseOffset] })
  }
  const steps: readonly (() => void | Promise<void>)[] = [
    ...Array.from({ length: 24 }, () => () => send([newBatch({ isIdempotent: random(3) > 0 })])),
    ...Array.from({ length: 8 }, () => sendTogether),
    ...[deleteRecords, drop, settle, settle, settle, reopen],
    () => own(() => log.upkeep())
  ]
  for (let step = 0; step < options.steps; step++) {
    await pick(steps)()
    if (flying.size >= IN_FLIGHT_MAX) await Promise.race(flying)
  }
  if (options.isKilled) process.kill(process.pid, 'SIGKILL')
  await settle()
  await log.close()
  closeSync(tale)
}

if (import.meta.main) await run(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as WorkloadOptions)
