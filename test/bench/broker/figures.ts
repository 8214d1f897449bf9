/** One round of a broker in a cell, and how the rounds become one row. */
import { median } from '../rounds.ts'
import { geometricMean, ratio } from '../table.ts'
import type { Role } from './brokers.ts'
import type { Cell } from './cells.ts'

export interface Round {
  readonly recordsPerSecond: number
  /** Of a record from its send to its acknowledgement; undefined for a consumer. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  /** Of the broker, in seconds for a million records; undefined without /proc, as is what follows. */
  readonly cpuSeconds: number | undefined
  /** Of the client, from its start to its end. */
  readonly clientCpuSeconds: number | undefined
  /** The most that the broker held in the round. */
  readonly rssMiB: number | undefined
  /** The share of the machine that neither the broker nor the tool used, in percent. */
  readonly othersPercent: number | undefined
  /** The share that nobody used, for all waited for the disk or for each other. */
  readonly idlePercent: number | undefined
}

export type Figures = Round

export interface Row {
  readonly cell: Cell
  readonly role: Role
  readonly broker: string
  readonly figures: Figures
}

/** Medians; of the memory, the most. */
export function figuresOf(rounds: readonly Round[]): Figures {
  const known = (of: (round: Round) => number | undefined): number[] => rounds.map(of).filter(value => value !== undefined)
  const held = known(({ rssMiB }) => rssMiB)
  return {
    recordsPerSecond: median(rounds.map(({ recordsPerSecond }) => recordsPerSecond)) ?? 0,
    p50Ms: median(known(({ p50Ms }) => p50Ms)),
    p99Ms: median(known(({ p99Ms }) => p99Ms)),
    cpuSeconds: median(known(({ cpuSeconds }) => cpuSeconds)),
    clientCpuSeconds: median(known(({ clientCpuSeconds }) => clientCpuSeconds)),
    rssMiB: held.length > 0 ? Math.max(...held) : undefined,
    othersPercent: median(known(({ othersPercent }) => othersPercent)),
    idlePercent: median(known(({ idlePercent }) => idlePercent))
  }
}

export type Measure = 'recordsPerSecond' | 'cpuSeconds'

/** As a multiple of Kafka's in the same cell; undefined for Kafka itself, without one, and for the throughput of a fixed pace. */
export function ratioOf(rows: readonly Row[], row: Row, measure: Measure): number | undefined {
  if (row.role === 'kafka' || (measure === 'recordsPerSecond' && row.cell.rate > 0)) return undefined
  const peer = rows.find(({ cell, role }) => cell.name === row.cell.name && role === 'kafka')
  const [ours, theirs] = [row.figures[measure], peer?.figures[measure]]
  return ours === undefined || theirs === undefined ? undefined : ratio(ours, theirs)
}

export interface Ratios {
  readonly mean: number
  readonly least: number
  /** The cell of the least. */
  readonly leastIn: string
}

/** Over all cells of a kind that both were measured in; undefined when there is none. */
export function ratiosOf(rows: readonly Row[], kind: Cell['kind'], role: Role, measure: Measure): Ratios | undefined {
  const ratios = rows
    .filter(row => row.cell.kind === kind && row.role === role)
    .map(row => ({ name: row.cell.name, value: ratioOf(rows, row, measure) }))
    .filter((found): found is { name: string; value: number } => found.value !== undefined)
  if (ratios.length === 0) return undefined
  const least = ratios.reduce((one, other) => (other.value < one.value ? other : one))
  return { mean: geometricMean(ratios.map(({ value }) => value)), least: least.value, leastIn: least.name }
}
