/**
 * A log on a small real disk that runs full again and again, by what is appended and by a file beside it, while producers go on as real ones
 * do: what is refused they send once more. Afterwards everything acknowledged must be there, once, in order, and nothing else.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAssayError } from '@assay/errors'
import { type Log, openLog, type PartitionLog } from '@assay/log'
import { decodeBatch, encodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import type { SmallDisk } from './small-disk.ts'

export interface CycleReport {
  readonly anomalies: string[]
  readonly acknowledged: number
  readonly refused: number
  /** The longest time from when there was space until appends were taken. */
  readonly recoveredMsMax: number
}

const MEBIBYTE = 1 << 20
const PARTITIONS = 3
const VALUE_BYTES_MAX = 60_000
const RECOVERED_MS_MAX = 5000

interface Producer {
  readonly partition: number
  sequence: number
  /** What was acknowledged, by its offset. */
  readonly sent: Map<number, string>
  offset: number
}

export async function diskFullCycles(
  disk: SmallDisk,
  { cycles, random }: { readonly cycles: number; readonly random: (below: number) => number }
): Promise<CycleReport> {
  const anomalies: string[] = []
  const filler = join(disk.path, 'filler')
  const topicId = 'c'.repeat(32)
  const producers = Array.from(
    { length: PARTITIONS },
    (_, partition): Producer => ({ partition, sequence: 0, sent: new Map(), offset: 0 })
  )
  let log = await opened()
  let acknowledged = 0
  let refused = 0
  let recoveredMsMax = 0

  function opened(): Promise<Log> {
    const diskFreeBytesMin = random(2) * 5 * MEBIBYTE
    const sizes = { checkpointBytes: MEBIBYTE, segmentBytes: (1 + random(8)) * MEBIBYTE, tailCacheBytes: MEBIBYTE }
    return openLog({ directory: join(disk.path, 'data'), clock: systemClock, logger: silentLogger, diskFreeBytesMin, ...sizes })
  }

  const partitionOf = ({ partition }: Producer): PartitionLog => log.partition({ topicId, partition })

  /** False when it was refused. */
  async function send(producer: Producer): Promise<boolean> {
    const { partition, sequence, offset } = producer
    const name = `${partition}/${sequence}`
    const batch = encodeBatch({
      records: [{ key: null, value: Buffer.from(name.padEnd(1 + random(VALUE_BYTES_MAX), '.')) }],
      ...{ baseTimestampMs: 1000, producerId: partition, producerEpoch: 0, baseSequence: sequence }
    })
    try {
      const { baseOffset, duplicate } = await partitionOf(producer).append(batch)
      if (baseOffset !== offset || duplicate)
        anomalies.push(`${name} took offset ${baseOffset}, not ${offset}; duplicate: ${duplicate}`)
      producer.sent.set(baseOffset, name)
      producer.offset = baseOffset + 1
      producer.sequence++
      acknowledged++
      return true
    } catch (error) {
      if (!isAssayError(error, 'STORE_FULL')) throw error
      refused++
      return false
    }
  }

  async function untilRefused(producer: Producer): Promise<void> {
    while (await send(producer)) {}
  }

  async function untilTaken(producer: Producer, freedAt: number): Promise<void> {
    while (!(await send(producer))) {
      const passed = performance.now() - freedAt
      if (passed > RECOVERED_MS_MAX)
        return void anomalies.push(`${Math.round(passed)} ms after there was space: ${log.refusal?.message}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    recoveredMsMax = Math.max(recoveredMsMax, performance.now() - freedAt)
  }

  async function compare(when: string): Promise<void> {
    for (const producer of producers) {
      const partition = partitionOf(producer)
      if (partition.highWatermark !== producer.offset) {
        anomalies.push(
          `${when}: partition ${producer.partition} ends at ${partition.highWatermark}, and ${producer.offset} were acknowledged`
        )
      }
      for (let next = partition.startOffset; next < partition.highWatermark; ) {
        const batches = await partition.read(next, { bytesMax: MEBIBYTE })
        for (const { offset, value } of batches.flatMap(batch => decodeBatch(batch, MEBIBYTE))) {
          const name = value!.toString().replace(/\.*$/, '')
          if (offset !== next || producer.sent.get(offset) !== name)
            anomalies.push(`${when}: ${name} is at ${offset}, expected at ${next}`)
          next = offset + 1
        }
      }
    }
  }

  for (let cycle = 0; cycle < cycles; cycle++) {
    // What it gives back is enough for two stores to be opened again.
    const beside = writeFile(filler, Buffer.alloc((10 + random(8)) * MEBIBYTE)).catch(() => {})
    if (random(2)) await beside
    await Promise.all([beside, ...producers.map(untilRefused)])
    if (random(3) === 0) await new Promise(resolve => setTimeout(resolve, random(1500)))
    await rm(filler)
    const freedAt = performance.now()
    // Deletions that are refused while the disk has nothing left at all are asked for again, as a user would.
    for (const producer of producers) {
      const before = producer.offset - random(3)
      for (;;) {
        try {
          await log.deleteRecords(partitionOf(producer), Math.max(before, partitionOf(producer).startOffset))
          break
        } catch (error) {
          if (!isAssayError(error, 'STORE_FULL')) throw error
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      }
    }
    await log.upkeep()
    await Promise.all(producers.map(producer => untilTaken(producer, freedAt)))
    await compare(`cycle ${cycle}`)
    if (random(4) > 0) continue
    await log.close()
    log = await opened()
    await compare(`cycle ${cycle}, opened again`)
  }
  await log.close()
  return { anomalies, acknowledged, refused, recoveredMsMax }
}
