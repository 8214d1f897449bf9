/** `assay group reset-offsets`: says from where a group that nobody is in shall read on, and shows it before it is done. */
import { readFileSync } from 'node:fs'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { durationMs } from '../durations.ts'
import { assertEmpty, collectScopes, type GroupDoors, offsetsOfTopics, type TopicScope, withGroups } from '../group-access.ts'
import { formatOf, withSettings } from '../options.ts'
import { printRows, say } from '../print.ts'

interface Options {
  readonly topic: readonly TopicScope[]
  readonly allTopics: boolean
  readonly toEarliest: boolean
  readonly toLatest: boolean
  readonly toCurrent: boolean
  readonly toOffset?: bigint
  readonly toDatetime?: bigint
  readonly byDuration?: number
  readonly shiftBy?: bigint
  readonly fromFile?: string
  readonly dryRun: boolean
  readonly yes: boolean
}

interface Move {
  readonly topic: string
  readonly partition: number
  /** Null when nothing is committed. */
  readonly from: bigint | null
  readonly to: bigint
}

const EARLIEST = -2n
const LATEST = -1n
const NONE = -1n

export function groupResetCommand(): Command {
  const command = new Command('reset-offsets')
    .description('move the committed offsets of a group that nobody is in')
    .argument('<group>')
    .option('--topic <topic>', 'a topic, or partitions of it as in orders:0,3 (repeatable)', collectScopes, [])
    .option('--all-topics', 'every topic that the group has committed offsets of', false)
    .option('--to-earliest', 'to the first record that is there', false)
    .option('--to-latest', 'behind the last record that is there', false)
    .option('--to-current', 'to where the group is: to its end where nothing is committed', false)
    .option('--to-offset <offset>', 'to this offset', offset)
    .option('--to-datetime <time>', 'to the first record at least so late: an ISO time, or milliseconds since 1970', time)
    .option(
      '--by-duration <duration>',
      'to the first record of the last so long, as in PT1H30M or P7D',
      durationMs('--by-duration')
    )
    .option('--shift-by <count>', 'by so many records on, or back when it is negative', shift)
    .option('--from-file <file>', 'to the offsets of a file with lines of topic,partition,offset')
    .option('--dry-run', 'change nothing, say what would happen', false)
    .option('--yes', 'do not ask', false)
  return withSettings(command).action(async (group: string, options: Options) => {
    checkWays(options)
    await withGroups(command, async doors => {
      await assertEmpty(doors, group)
      const moves = await planOf(doors, group, options)
      if (moves.length === 0) return say('There is nothing to move.')
      const rows = moves.map(({ topic, partition, from, to }) => ({
        topic,
        partition,
        from: from === null ? null : Number(from),
        to: Number(to)
      }))
      printRows(rows, ['topic', 'partition', 'from', 'to'], formatOf(command))
      if (options.dryRun || !(await confirmed(`Move the offsets of group ${group}?`, options))) return
      await doors.groups.setOffsets(
        group,
        moves.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))
      )
    })
  })
}

function checkWays(options: Options): void {
  const ways = [options.toEarliest, options.toLatest, options.toCurrent].filter(Boolean).length
  const valued = [options.toOffset, options.toDatetime, options.byDuration, options.shiftBy, options.fromFile]
  if (ways + valued.filter(value => value !== undefined).length !== 1) {
    throw new AssayError('INVALID_ARGUMENT', {
      reason:
        'give one of --to-earliest, --to-latest, --to-current, --to-offset, --to-datetime, --by-duration, --shift-by, --from-file'
    })
  }
  const scopes = (options.topic.length > 0 ? 1 : 0) + (options.allTopics ? 1 : 0)
  if (options.fromFile === undefined ? scopes !== 1 : scopes > 0) {
    throw new AssayError('INVALID_ARGUMENT', { reason: 'give either --topic or --all-topics; a file names its topics itself' })
  }
}

/** Every offset lies between the first record and the end, whatever was asked for. */
async function planOf(doors: GroupDoors, group: string, options: Options): Promise<Move[]> {
  const committed = await doors.groups.offsets(group)
  const offsetsAt = offsetsOfTopics(doors)
  const listed = options.fromFile === undefined ? undefined : readPlan(options.fromFile)
  const scopes = listed?.map(({ topic, partition }) => ({ topic, partitions: [partition] })) ?? scopesOf(options, committed)
  const moves: Move[] = []
  for (const { topic, partitions } of scopes) {
    const [first, end] = [await offsetsAt(topic, EARLIEST), await offsetsAt(topic, LATEST)]
    for (const partition of partitions ?? end.keys()) {
      const [start, last] = [first.get(partition), end.get(partition)]
      if (start === undefined || last === undefined) {
        throw new AssayError('INVALID_ARGUMENT', { reason: `${topic} has no partition ${partition}` })
      }
      const from = committed.find(one => one.topic === topic && one.partition === partition)?.offset ?? null
      const named = listed?.find(one => one.topic === topic && one.partition === partition)?.offset
      const to = named ?? (await wanted(options, { from, start, last, late: at => offsetsAt(topic, at), partition }))
      const within = to < start ? start : to > last ? last : to
      moves.push({ topic, partition, from, to: within })
    }
  }
  return moves
}

interface Place {
  readonly from: bigint | null
  readonly start: bigint
  readonly last: bigint
  readonly late: (timeMs: bigint) => Promise<ReadonlyMap<number, bigint>>
  readonly partition: number
}

async function wanted(options: Options, { from, start, last, late, partition }: Place): Promise<bigint> {
  if (options.toEarliest) return start
  if (options.toLatest) return last
  if (options.toCurrent) return from ?? last
  if (options.toOffset !== undefined) return options.toOffset
  if (options.shiftBy !== undefined) return (from ?? start) + options.shiftBy
  const timeMs = options.toDatetime ?? BigInt(Date.now() - options.byDuration!)
  const found = (await late(timeMs < 0n ? 0n : timeMs)).get(partition) ?? NONE
  // No record is as late.
  return found === NONE ? last : found
}

function scopesOf(options: Options, committed: readonly { topic: string; partition: number }[]): TopicScope[] {
  if (!options.allTopics) return [...options.topic]
  const topics = [...new Set(committed.map(({ topic }) => topic))]
  return topics.map(topic => ({
    topic,
    partitions: committed.filter(one => one.topic === topic).map(({ partition }) => partition)
  }))
}

function readPlan(file: string): { topic: string; partition: number; offset: bigint }[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${file} cannot be read: ${(error as Error).message}` })
  }
  return text.split('\n').flatMap((row, at) => {
    if (row.trim() === '' || row.startsWith('#')) return []
    const found = /^"?([a-zA-Z0-9._-]+)"?,(\d{1,9}),(\d{1,18})$/.exec(row.trim())
    if (found === null) {
      throw new AssayError('INVALID_ARGUMENT', {
        reason: `${file}:${at + 1}: expected topic,partition,offset and found ${row.trim()}`
      })
    }
    return [{ topic: found[1]!, partition: Number(found[2]), offset: BigInt(found[3]!) }]
  })
}

function offset(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  throw new AssayError('INVALID_ARGUMENT', { reason: `--to-offset ${text}: expected an offset` })
}

function shift(text: string): bigint {
  if (/^[+-]?\d{1,18}$/.test(text)) return BigInt(text.replace('+', ''))
  throw new AssayError('INVALID_ARGUMENT', { reason: `--shift-by ${text}: expected a number of records such as -100` })
}

function time(text: string): bigint {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isFinite(ms) && ms >= 0) return BigInt(ms)
  throw new AssayError('INVALID_ARGUMENT', {
    reason: `--to-datetime ${text}: expected an ISO time such as 2026-01-31T12:00:00Z, or milliseconds since 1970`
  })
}
