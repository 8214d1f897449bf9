/** `assay topic delete-records`: lets the partitions of a topic begin later. */
import type { PartitionOffset, TopicAdmin } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { aboutTopic } from '../nearest-topic.ts'
import { formatOf, withSettings } from '../options.ts'
import { printRows, say } from '../print.ts'
import { withAdmin } from '../topic-access.ts'

interface Options {
  readonly before?: bigint
  readonly olderThan?: bigint
  readonly all: boolean
  readonly partition: readonly number[]
  readonly yes: boolean
}

/** What the protocol and the library call the next offset to be written. */
const END = -1n
const NONE = -1n

export function topicDeleteRecordsCommand(): Command {
  const command = new Command('delete-records')
    .description('delete the oldest records of a topic: --before an offset, --older-than a time, or --all')
    .argument('<topic>')
    .option('--before <offset>', 'records below this offset', offset)
    .option(
      '--older-than <time>',
      'records before the first that is at least so late: an ISO time, or milliseconds since 1970',
      time
    )
    .option('--all', 'every record that is there now', false)
    .option('--partition <number>', 'only of this partition (repeatable; default: all)', collectPartition, [])
    .option('--yes', 'do not ask', false)
  return withSettings(command).action(async (topic: string, options: Options) => {
    const ways = [options.before !== undefined, options.olderThan !== undefined, options.all].filter(Boolean).length
    if (ways !== 1) throw new AssayError('INVALID_ARGUMENT', { reason: 'give one of --before, --older-than and --all' })
    await withAdmin(command, async admin => {
      const wanted = await aboutTopic(admin, topic, () => wantedOf(admin, topic, options))
      if (wanted.length === 0) return say(`No record of ${topic} is that old.`)
      const which = wanted
        .map(({ partition, offset: upTo }) => `${partition} up to ${upTo === END ? 'its end' : upTo}`)
        .join(', ')
      if (!(await confirmed(`Delete the records of ${topic}, partition ${which}?`, options))) return
      const begin = await admin.deleteRecords(topic, wanted)
      const rows = begin.map(({ partition, offset: start }) => ({ topic, partition, start: Number(start) }))
      printRows(rows, ['topic', 'partition', 'start'], formatOf(command))
    })
  })
}

/** Up to which offset each partition loses its records; those that lose none are left out. */
async function wantedOf(admin: TopicAdmin, topic: string, options: Options): Promise<PartitionOffset[]> {
  const { partition: only, olderThan, before } = options
  const there = await admin.offsets(topic, END)
  const missing = only.find(one => !there.some(({ partition }) => partition === one))
  if (missing !== undefined) throw new AssayError('INVALID_ARGUMENT', { reason: `${topic} has no partition ${missing}` })
  const isWanted = ({ partition }: PartitionOffset): boolean => only.length === 0 || only.includes(partition)
  if (olderThan === undefined) return there.filter(isWanted).map(({ partition }) => ({ partition, offset: before ?? END }))
  const [late, first] = [await admin.offsets(topic, olderThan), await admin.offsets(topic, -2n)]
  return there.filter(isWanted).flatMap(({ partition, offset: end }) => {
    const start = first.find(one => one.partition === partition)!.offset
    const found = late.find(one => one.partition === partition)!.offset
    // No record is as late: all that were there when it was asked are older.
    const upTo = found === NONE ? end : found
    return upTo > start ? [{ partition, offset: upTo }] : []
  })
}

function offset(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  throw new AssayError('INVALID_ARGUMENT', { reason: `--before ${text}: expected an offset, or --all` })
}

function time(text: string): bigint {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isFinite(ms) && ms >= 0) return BigInt(ms)
  throw new AssayError('INVALID_ARGUMENT', {
    reason: `--older-than ${text}: expected an ISO time such as 2026-01-31T12:00:00Z, or milliseconds since 1970`
  })
}

function collectPartition(text: string, before: readonly number[]): number[] {
  if (/^\d{1,9}$/.test(text)) return [...before, Number(text)]
  throw new AssayError('INVALID_ARGUMENT', { reason: `--partition ${text}: expected the number of a partition` })
}
