/** Storing a backup as it comes: each partition in a file of its own, checked on the way, the manifest last. Bounded in memory. */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import { splitBatches } from '@assay/records'
import { baseOffsetOf, readFacts } from '../batch-facts.ts'
import { attempt } from '../offline/new-directory.ts'
import type { Progress } from '../offline/progress.ts'
import { BACKUP_FORMAT, type CutPartition, damagedStream, decodeFrames, type FrameHead } from './frames.ts'
import { type BackedUpPartition, fileOf, isPartition, type Manifest, PARTITIONS_DIRECTORY, writeManifest } from './manifest.ts'
import { offsetChain } from './partition-file.ts'

/**
 * Fills an empty directory with a backup. Progress is in records. Fails with STORE_CORRUPT when the stream is damaged or cut off,
 * STORE_FAILED when the server or the disk refuses, UNSUPPORTED_VERSION.
 */
export async function receiveBackup(
  chunks: AsyncIterable<Uint8Array>,
  directory: string,
  onProgress?: Progress
): Promise<Manifest> {
  const frames = decodeFrames(chunks)
  const { value: first } = await frames.next()
  const begin = beginOf(first?.head)
  await attempt(`make ${directory}`, () => mkdir(join(directory, PARTITIONS_DIRECTORY), { recursive: true }))
  const total = begin.partitions.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
  const partitions: BackedUpPartition[] = []
  let file: PartitionWriter | undefined
  let done = 0
  let at = -1

  /** Partitions come one after the other; those in between have no batch. */
  async function goTo(wanted: number): Promise<PartitionWriter> {
    if (wanted < at || wanted >= begin.partitions.length) throw damagedStream(`partition ${wanted} is out of turn`)
    while (at < wanted) {
      if (file !== undefined) partitions.push(await file.finish())
      at++
      file = partitionWriter(directory, begin.partitions[at]!)
    }
    return file!
  }

  try {
    for await (const { head, payload } of frames) {
      if (head.kind === 'failed') throw new AssayError('STORE_FAILED', { action: `back up: ${head.message}` })
      if (head.kind === 'end') {
        if (begin.partitions.length > 0) {
          const last = await goTo(begin.partitions.length - 1)
          partitions.push(await last.finish())
          file = undefined
        }
        return await finish(directory, begin, partitions, head)
      }
      if (head.kind === 'begin') throw damagedStream('it begins twice')
      const writer = await goTo(head.at)
      if (head.kind === 'restart') await writer.restart(head.startOffset)
      else await writer.write(payload)
      onProgress?.({ done: done + writer.records, total })
      if (head.kind === 'batches' && writer.isDone) done += writer.records
    }
    throw damagedStream('it was cut off')
  } finally {
    await file?.close()
  }
}

type Begin = Extract<FrameHead, { kind: 'begin' }>

function beginOf(head: FrameHead | undefined): Begin {
  if (head?.kind === 'failed') throw new AssayError('STORE_FAILED', { action: `back up: ${head.message}` })
  if (head?.kind !== 'begin') throw damagedStream('it does not begin as one')
  if (head.format !== BACKUP_FORMAT) {
    const reason = `it has format ${head.format} and this is for format ${BACKUP_FORMAT}`
    throw new AssayError('UNSUPPORTED_VERSION', { what: 'The backup of this server', reason })
  }
  if (!Array.isArray(head.partitions) || !head.partitions.every(isPartition))
    throw damagedStream('its partitions are not readable')
  return head
}

async function finish(
  directory: string,
  { format, clusterId, takenAtMs }: Begin,
  partitions: readonly BackedUpPartition[],
  end: Extract<FrameHead, { kind: 'end' }>
): Promise<Manifest> {
  const sums = { batches: 0, bytes: 0 }
  for (const { batches, bytes } of partitions) {
    sums.batches += batches
    sums.bytes += bytes
  }
  if (sums.batches !== end.batches || sums.bytes !== end.bytes) {
    throw damagedStream(`${sums.batches} batches of ${sums.bytes} bytes arrived, ${end.batches} of ${end.bytes} were sent`)
  }
  const manifest: Manifest = { format, clusterId, takenAtMs, partitions }
  await attempt(`write ${directory}`, () => writeManifest(directory, manifest))
  return manifest
}

interface PartitionWriter {
  write(bytes: Buffer): Promise<void>
  restart(startOffset: number): Promise<void>
  finish(): Promise<BackedUpPartition>
  close(): Promise<void>
  /** Offsets that have come. */
  readonly records: number
  readonly isDone: boolean
}

function partitionWriter(directory: string, { topicId, partition, startOffset, endOffset }: CutPartition): PartitionWriter {
  const path = fileOf(directory, { topicId, partition })
  const begin = (start: number) => ({
    ...{ start, next: start, bytes: 0, hash: createHash('sha256') },
    chain: offsetChain(`Partition ${topicId}-${partition}`, { startOffset: start, endOffset })
  })
  let state = begin(startOffset)
  let file: FileHandle | undefined

  async function close(): Promise<void> {
    const closing = file
    file = undefined
    await closing?.close()
  }

  return {
    get records() {
      return state.next - state.start
    },
    get isDone() {
      return state.next >= endOffset
    },
    async write(bytes) {
      for (const batch of splitBatches(bytes)) {
        state.chain.add(batch)
        state.next = baseOffsetOf(batch) + readFacts(batch).lastOffsetDelta + 1
      }
      state.hash.update(bytes)
      await attempt(`write ${path}`, async () => {
        file ??= await open(path, 'w')
        await file.writeFile(bytes)
      })
      state.bytes += bytes.length
    },
    async restart(start) {
      if (!(start >= state.next && start <= endOffset))
        throw damagedStream(`partition ${topicId}-${partition} restarts at ${start}`)
      await attempt(`write ${path}`, async () => {
        await close()
        await rm(path, { force: true })
      })
      state = begin(start)
    },
    async finish() {
      state.chain.end()
      await attempt(`write ${path}`, close)
      const { start, bytes, hash, chain } = state
      return {
        ...{ topicId, partition, startOffset: start, endOffset },
        ...{ batches: chain.batches, bytes, sha256: hash.digest('hex') }
      }
    },
    close
  }
}
