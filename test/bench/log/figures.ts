/** What was measured of the log, as rows and beside its goals. */
import type { Goal } from '../goals.ts'
import { median } from '../rounds.ts'
import { type Cells, ratio } from '../table.ts'
import type { Appended, FollowRound, Outcomes } from './work.ts'

export interface OverPartitions {
  readonly partitions: number
  readonly rounds: readonly Appended[]
}

export interface Reopened {
  readonly end: 'close' | 'kill'
  readonly filled: Appended
  readonly opened: Outcomes['open']
}

export type Behind = Outcomes['follow']

export interface Figures {
  readonly partitions: readonly OverPartitions[]
  readonly reopened: readonly Reopened[]
  readonly behind: Behind | undefined
}

const REOPEN_MS_MAX = 3000
const WRITTEN_MAX = 2.2
const KEPT_MIN = 0.8
const BEHIND_MB_MIN = 150

const megabytesPerSecond = ({ bytes, seconds }: Appended): number => bytes / seconds / 1e6
const writtenOf = ({ writtenBytes, bytes }: Appended): number | undefined => writtenBytes && writtenBytes / bytes
const throughput = ({ rounds }: OverPartitions): number | undefined => median(rounds.map(megabytesPerSecond))
const written = ({ rounds }: OverPartitions): number | undefined =>
  median(rounds.map(writtenOf).filter(value => value !== undefined))

const following: readonly (readonly [keyof FollowRound, string])[] = [
  ['producerAlone', 'producer alone'],
  ['producerBesidePaced', 'producer beside a consumer that keeps its pace'],
  ['consumerPaced', 'that consumer, far behind'],
  ['producer', 'producer beside a consumer as fast as it can'],
  ['consumer', 'that consumer, far behind']
]

export function goalsOf({ partitions, reopened, behind }: Figures): Goal[] {
  const one = partitions.find(row => row.partitions === 1)
  const kept = partitions.filter(row => row !== one).map(row => ratioTo(throughput(row), one && throughput(one)))
  const amplified = [...partitions.map(written), ...reopened.map(({ filled }) => writtenOf(filled))]
  const ms = (end: Reopened['end']): number | undefined => reopened.find(row => row.end === end)?.opened.ms
  const rate = (of: keyof FollowRound): number | undefined => behind && median(behind.rounds.map(row => row[of]))
  const consumer = rate('consumerPaced')
  return [
    { what: 'throughput at up to 1,000 partitions', measured: least(kept), bound: { atLeast: KEPT_MIN }, unit: 'x of one' },
    { what: 'bytes written for a byte appended', measured: most(amplified), bound: { atMost: WRITTEN_MAX }, unit: '' },
    { what: 'reopening after a close', measured: ms('close'), bound: { atMost: REOPEN_MS_MAX }, unit: 'ms' },
    { what: 'reopening after a kill', measured: ms('kill'), bound: { atMost: REOPEN_MS_MAX }, unit: 'ms' },
    { what: 'consumer far behind', measured: consumer && consumer / 1e6, bound: { atLeast: BEHIND_MB_MIN }, unit: 'MB/s' },
    {
      what: 'producer beside that consumer',
      measured: ratioTo(rate('producerBesidePaced'), rate('producerAlone')),
      bound: { atLeast: KEPT_MIN },
      unit: 'x of alone'
    }
  ]
}

const ratioTo = (ours: number | undefined, theirs: number | undefined): number | undefined =>
  ours === undefined || theirs === undefined ? undefined : ratio(ours, theirs)
const known = (values: readonly (number | undefined)[]): number[] => values.filter(value => value !== undefined)
const least = (values: readonly (number | undefined)[]): number | undefined =>
  known(values).length > 0 ? Math.min(...known(values)) : undefined
const most = (values: readonly (number | undefined)[]): number | undefined =>
  known(values).length > 0 ? Math.max(...known(values)) : undefined

export function figureCells({ partitions, reopened, behind }: Figures): Cells[] {
  const shown = (value: number | undefined, digits = 0): string => (value === undefined ? '-' : value.toFixed(digits))
  const blank = { what: '', 'MB/s': '', 'written x': '', ms: '', 'RSS MiB': '' }
  return [
    ...partitions.map(row => ({
      ...blank,
      what: `append, ${row.partitions} partitions`,
      'MB/s': shown(throughput(row), 1),
      'written x': shown(written(row), 2),
      'RSS MiB': shown(most(row.rounds.map(({ rssMiB }) => rssMiB)))
    })),
    ...reopened.flatMap(({ end, filled, opened }) => [
      {
        ...blank,
        what: `fill ${(filled.bytes / 2 ** 30).toFixed(2)} GiB, 1000 partitions`,
        'MB/s': shown(megabytesPerSecond(filled), 1),
        'written x': shown(writtenOf(filled), 2),
        'RSS MiB': shown(filled.rssMiB)
      },
      { ...blank, what: `reopen after ${end}`, ms: shown(opened.ms), 'RSS MiB': shown(opened.rssMiB) }
    ]),
    ...(behind
      ? following.map(([of, what]) => ({
          ...blank,
          what,
          'MB/s': shown((median(behind.rounds.map(row => row[of])) ?? 0) / 1e6, 1)
        }))
      : [])
  ]
}
