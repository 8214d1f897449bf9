/** What is measured: one cell for each load, and how the rounds of one cell become one figure. */

import type { Usage } from '../process-usage.ts'
import { percentile } from '../table.ts'
import type { Order, Outcome } from './load.ts'

export const kinds = ['produce', 'consume', 'latency'] as const
export type Kind = (typeof kinds)[number]

export interface Cell {
  readonly kind: Kind
  readonly what: string
  readonly recordBytes: number
  readonly batchBytes: number
  readonly connections: number
  readonly inFlight: number
  readonly rate: number
  /** What a consumer finds in its topic, the same for every broker; 0 for a producer. */
  readonly topicBytes: number
}

/** Well within Assay's tail cache (64 MiB): a consumer that keeps up. */
const NEWEST_BYTES = 8 << 20
/** Well beyond it: a consumer that catches up reads from the store. Kafka has all of it in the page cache in either case. */
const STORED_BYTES = 256 << 20
const RECORD_SIZES = [100, 1024]
const BATCH_SIZES = [16 << 10, 256 << 10]
const PACE = 10_000

const measured: readonly Cell[] = [
  ...RECORD_SIZES.flatMap(recordBytes => [
    ...BATCH_SIZES.map(batchBytes => cell('produce', 'produce', { recordBytes, batchBytes })),
    cell('produce', 'produce, 8 clients', { recordBytes, batchBytes: 16 << 10, connections: 8 })
  ]),
  ...RECORD_SIZES.map(recordBytes =>
    cell('consume', 'consume, newest 8 MB', { recordBytes, batchBytes: 16 << 10, inFlight: 1, topicBytes: NEWEST_BYTES })
  ),
  ...RECORD_SIZES.flatMap(recordBytes =>
    BATCH_SIZES.map(batchBytes =>
      cell('consume', 'consume, all of 256 MB', { recordBytes, batchBytes, inFlight: 1, topicBytes: STORED_BYTES })
    )
  ),
  cell('latency', `produce, ${PACE.toLocaleString('en')}/s`, {
    recordBytes: 100,
    batchBytes: 2 << 10,
    connections: 4,
    rate: PACE
  })
]

/** All cells, or those of one kind. */
export const cellsOf = (only: Kind | undefined): readonly Cell[] =>
  measured.filter(({ kind }) => only === undefined || kind === only)

function cell(kind: Kind, what: string, load: Pick<Cell, 'recordBytes' | 'batchBytes'> & Partial<Cell>): Cell {
  return { kind, what, connections: 1, inFlight: 5, rate: 0, topicBytes: 0, ...load }
}

export const verbOf = ({ kind }: Cell): Order['verb'] => (kind === 'consume' ? 'consume' : 'produce')

export interface Round {
  readonly outcome: Outcome
  /** Of the broker, before and after. */
  readonly before: Usage | undefined
  readonly after: Usage | undefined
}

export interface Figures {
  readonly recordsPerSecond: number
  readonly megabytesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The generator's share of one core, in percent. */
  readonly clientCpuPercent: number
  readonly cpuMsPerMegabyte: number | undefined
  readonly rssMiB: number | undefined
}

/** All rounds of a target in one cell as if they had been one. */
export function figuresOf(rounds: readonly Round[]): Figures {
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0)
  const seconds = sum(({ outcome }) => outcome.seconds)
  const megabytes = sum(({ outcome }) => outcome.bytes) / 1e6
  const latencies = rounds.flatMap(({ outcome }) => outcome.latencies)
  const known = rounds.every(({ before, after }) => before !== undefined && after !== undefined)
  return {
    recordsPerSecond: sum(({ outcome }) => outcome.records) / seconds,
    megabytesPerSecond: megabytes / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    clientCpuPercent: sum(({ outcome }) => outcome.clientCpuMs) / seconds / 10,
    cpuMsPerMegabyte: known ? sum(({ before, after }) => after!.cpuMs - before!.cpuMs) / megabytes : undefined,
    rssMiB: known ? Math.max(...rounds.map(({ after }) => after!.rssMiB)) : undefined
  }
}
