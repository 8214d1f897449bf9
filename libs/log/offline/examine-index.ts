/**
 * Compares the index with the journal: the checkpoint, the table of segments, each partition's chain of offsets, the place that every row
 * of the index names, and what is remembered of producers.
 */
import { isAssayError } from '@assay/errors'
import type { Store } from '@assay/store'
import { examineAborted } from '../aborted.ts'
import { type Checkpoint, droppedTopics, loadCheckpoint } from '../checkpoint.ts'
import type { Offset } from '../log.ts'
import { type IndexedRow, indexedRows } from '../offset-index.ts'
import { NO_TIMESTAMP, nameOf, type Partition, readPartitionKey } from '../partition.ts'
import { lastAtOrBefore } from '../segment-table.ts'
import { type JournalFacts, REPAIR_ADVICE } from './examine-journal.ts'
import type { Finding, Findings } from './finding.ts'
import type { KnownRow, KnownRows } from './known-rows.ts'
import type { DataDirectory } from './view.ts'

const PAGE_ROWS = 2048
const REBUILD_ADVICE = 'move the directory out of the way; the next start makes the index anew from the journal'

export interface IndexExamination {
  readonly found: Findings
  readonly rows: KnownRows
  readonly journal: JournalFacts
}

/** Gives the checkpoint; undefined when there is none of use. */
export async function examineIndex(
  view: DataDirectory,
  index: Store,
  examination: IndexExamination
): Promise<Checkpoint | undefined> {
  const { found, journal } = examination
  const checkpoint = await checkpointOf(view, index, found)
  const pointedTo = new Set<number>()
  let isReadable = checkpoint !== undefined
  if (checkpoint !== undefined) {
    examineSegments(view, checkpoint, examination)
    examineProducers(view, checkpoint, found)
    try {
      await examineRows(view, index, checkpoint, { ...examination, pointedTo })
    } catch (error) {
      if (!isAssayError(error, 'STORE_CORRUPT')) throw error
      isReadable = false
      found.add({ ...{ kind: 'index', severity: 'damage', file: view.indexPath!, advice: REBUILD_ADVICE }, says: error.message })
    }
  }
  for (const [sequence, { segment, reason }] of journal.damaged) {
    if (pointedTo.has(sequence)) continue
    const isDead = isReadable && sequence < checkpoint!.sequence
    found.add({
      ...{ kind: 'batch', file: segment.path },
      severity: isDead ? 'note' : 'damage',
      says: `row ${sequence} is damaged: ${reason}`,
      advice: isDead ? 'nothing: the log has deleted this batch already' : REPAIR_ADVICE
    })
  }
  return checkpoint
}

async function checkpointOf(view: DataDirectory, index: Store, found: Findings): Promise<Checkpoint | undefined> {
  const file = view.indexPath ?? `${view.directory}/index`
  if (view.indexPath === undefined) {
    found.add({
      ...{ kind: 'index', severity: 'damage', file },
      says: 'the index is missing; what it alone knew, which is how far partitions were deleted, is lost',
      advice: 'nothing: the next start makes it anew from the journal'
    })
    return undefined
  }
  try {
    const checkpoint = await loadCheckpoint(index, 1)
    await examineAborted(index)
    if (checkpoint === undefined) {
      found.add({
        ...{ kind: 'index', severity: 'note', file },
        says: 'the index was being made anew',
        advice: 'nothing: the next start does that again'
      })
    }
    return checkpoint
  } catch (error) {
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    found.add({ ...{ kind: 'index', severity: 'damage', file, advice: REBUILD_ADVICE }, says: error.message })
    return undefined
  }
}

function examineSegments(view: DataDirectory, { segments, sequence }: Checkpoint, { found, journal }: IndexExamination): void {
  const add = (file: string, says: string): void =>
    found.add({ ...{ kind: 'segment', severity: 'damage', file, advice: REPAIR_ADVICE }, says })
  for (const segment of segments) {
    if (segment.isDropped) continue
    const directory = view.segments.find(({ first }) => first === segment.first)
    const last = segment.first + segment.rows - 1
    if (directory === undefined) {
      add(`${view.directory}/journal`, `segment ${segment.first}, with rows ${segment.first} to ${last}, is missing`)
      continue
    }
    const end = journal.ends.get(segment.first)
    if (end !== undefined && end <= last) {
      add(directory.path, `rows ${end} to ${last} were there at the last checkpoint and are missing`)
    }
  }
  for (const { first, path } of view.segments) {
    const isKnown = segments.length === 0 || segments.some(segment => segment.first === first)
    if (!isKnown && first < sequence) add(path, `segment ${first} does not belong to this journal`)
  }
}

function examineProducers(view: DataDirectory, { producers, partitions }: Checkpoint, found: Findings): void {
  const ends = new Map(partitions.map(({ prefix, highWatermark }) => [prefix.toString('hex'), highWatermark]))
  for (const { prefix, id, window } of producers) {
    const end = ends.get(prefix.toString('hex'))
    const last = window.batches.at(-1)!.lastOffset
    if (end !== undefined && last < end) continue
    const partition = readPartitionKey(prefix, 0)
    const reason = end === undefined ? 'a partition that is not there' : `offset ${last} of a partition that ends at ${end}`
    found.add({
      ...{ kind: 'index', severity: 'damage', partition, advice: REBUILD_ADVICE },
      ...(view.indexPath !== undefined && { file: view.indexPath }),
      says: `producer ${id} is said to have written ${reason}`
    })
  }
}

interface RowsExamination extends IndexExamination {
  /** Damaged rows that the index names. */
  readonly pointedTo: Set<number>
}

interface Count {
  rows: number
  bytes: number
}

async function examineRows(
  view: DataDirectory,
  index: Store,
  checkpoint: Checkpoint,
  examination: RowsExamination
): Promise<void> {
  const { found } = examination
  const file = view.indexPath!
  const dropped = new Set((await droppedTopics(index)).map(topicId => topicId.toString('hex')))
  const known = new Map(checkpoint.partitions.map(partition => [partition.prefix.toString('hex'), partition]))
  const counts = new Map<number, Count>(checkpoint.segments.map(({ first }) => [first, { rows: 0, bytes: 0 }]))
  const firsts = checkpoint.segments.map(({ first }) => first)
  let chain: Chain | undefined
  for await (const page of indexedRows(index, PAGE_ROWS)) {
    const targets = await examination.rows.find(page.map(({ batch }) => batch?.sequence ?? -1))
    for (const [at, row] of page.entries()) {
      const name = row.prefix.toString('hex')
      if (chain?.name !== name) {
        chain?.end()
        const partition = known.get(name)
        known.delete(name)
        const isDropped = dropped.has(readPartitionKey(row.prefix, 0).topicId)
        chain =
          partition === undefined ? strayRows(file, row, isDropped ? undefined : found) : chainOf(file, partition, examination)
      }
      chain.add(row, targets[at])
      const count = row.batch && counts.get(firsts[lastAtOrBefore(row.batch.sequence, firsts.length, which => firsts[which]!)]!)
      if (count === undefined) continue
      count.rows++
      count.bytes += row.batch!.sizeBytes
    }
  }
  chain?.end()
  // Those of which there is no row at all.
  for (const partition of known.values()) chainOf(file, partition, examination).end()
  if (found.isDamaged) return
  for (const { first, liveRows, liveBytes } of checkpoint.segments) {
    const { rows, bytes } = counts.get(first)!
    if (rows === liveRows && bytes === liveBytes) continue
    found.add({
      ...{ kind: 'index', severity: 'damage', file, advice: REBUILD_ADVICE },
      says: `of segment ${first} it counts ${liveRows} live rows (${liveBytes} bytes) and has ${rows} (${bytes} bytes)`
    })
  }
}

interface Chain {
  readonly name: string
  add(row: IndexedRow, target: KnownRow | undefined): void
  end(): void
}

/** Rows of a partition that the checkpoint does not know: those of a topic that is being cleared away mean nothing. */
function strayRows(file: string, { prefix }: IndexedRow, found: Findings | undefined): Chain {
  const partition = readPartitionKey(prefix, 0)
  found?.add({
    ...{ kind: 'index', severity: 'damage', file, partition, advice: REBUILD_ADVICE },
    says: 'there are rows of a partition that is not there'
  })
  return { name: prefix.toString('hex'), add() {}, end() {} }
}

function chainOf(file: string, partition: Partition, { found, journal, pointedTo }: RowsExamination): Chain {
  const { key, startOffset, highWatermark } = partition
  let next = startOffset
  let isFirst = true
  let runningMax = NO_TIMESTAMP
  const count: Count = { rows: 0, bytes: 0 }
  let hasDamage = false
  /** Damage that goes on is told once. */
  let lost: { from: Offset; to: Offset; readonly reason: string; readonly file: string } | undefined

  function add(finding: Pick<Finding, 'says' | 'from' | 'to' | 'kind' | 'advice'> & { readonly file?: string }): void {
    hasDamage = true
    found.add({ severity: 'damage', file, partition: key, ...finding })
  }

  function tellLost(): void {
    if (lost === undefined) return
    const { from, to, reason } = lost
    add({ ...{ kind: 'batch', from, to, file: lost.file, advice: REPAIR_ADVICE }, says: reason })
    lost = undefined
  }

  function lose(from: Offset, to: Offset, reason: string, where: string): void {
    if (lost !== undefined && lost.to + 1 === from && lost.reason === reason && lost.file === where) {
      lost.to = to
      return
    }
    tellLost()
    lost = { from, to, reason, file: where }
  }

  return {
    name: partition.prefix.toString('hex'),
    add({ lastOffset, batch }, target) {
      if (batch === undefined) {
        add({ ...{ kind: 'index', to: lastOffset, advice: REBUILD_ADVICE }, says: 'the checksum of a row does not match' })
        next = lastOffset + 1
        isFirst = false
        return
      }
      count.rows++
      count.bytes += batch.sizeBytes
      if (batch.runningMaxTimestampMs < runningMax) {
        add({ ...{ kind: 'index', from: batch.baseOffset, to: lastOffset, advice: REBUILD_ADVICE }, says: 'its times go back' })
      }
      runningMax = batch.runningMaxTimestampMs
      // In front of the start offset rows wait to be taken away.
      if (lastOffset < startOffset) return
      const follows = isFirst ? batch.baseOffset <= next : batch.baseOffset === next
      if (!follows) {
        const says =
          batch.baseOffset > next ? 'the index has no row for these offsets' : 'the index has these offsets more than once'
        const [from, to] = [Math.min(next, batch.baseOffset), Math.max(next, batch.baseOffset) - 1]
        add({ ...{ kind: 'index', from, to, advice: REBUILD_ADVICE }, says })
      }
      isFirst = false
      next = lastOffset + 1
      const damage = journal.damaged.get(batch.sequence)
      if (damage !== undefined) {
        pointedTo.add(batch.sequence)
        lose(batch.baseOffset, lastOffset, `row ${batch.sequence} is damaged: ${damage.reason}`, damage.segment.path)
      } else if (target === undefined) {
        lose(batch.baseOffset, lastOffset, 'the batches are not in the journal, or cannot be read', file)
      } else {
        const reason = disagreement(partition, batch, target)
        if (reason !== undefined) lose(batch.baseOffset, lastOffset, reason, file)
      }
    },
    end() {
      tellLost()
      if (next !== highWatermark && highWatermark > startOffset) {
        const [from, to] = [Math.min(next, highWatermark), Math.max(next, highWatermark) - 1]
        add({
          ...{ kind: 'index', from, to, advice: REBUILD_ADVICE },
          says: `the rows end at ${next} and not at ${highWatermark}`
        })
      }
      if (hasDamage || (count.rows === partition.batchCount && count.bytes === partition.sizeBytes)) return
      add({
        ...{ kind: 'index', advice: REBUILD_ADVICE },
        says: `${partition.batchCount} batches of ${partition.sizeBytes} bytes are counted and there are ${count.rows} of ${count.bytes}`
      })
    }
  }
}

function disagreement(partition: Partition, batch: NonNullable<IndexedRow['batch']>, row: KnownRow): string | undefined {
  if (!row.prefix.equals(partition.prefix)) return `row ${batch.sequence} belongs to ${nameOf(readPartitionKey(row.prefix, 0))}`
  for (const name of ['baseOffset', 'lastOffset', 'sizeBytes', 'maxTimestampMs'] as const) {
    if (row[name] !== batch[name]) return `row ${batch.sequence} has ${name} ${row[name]} and the index says ${batch[name]}`
  }
  return undefined
}
