/** What the broker is to reach beside Apache Kafka: Assay with fsync before every acknowledgement, Kafka with the page cache. */
import type { Goal } from '../goals.ts'
import { type Ratios, type Row, ratiosOf } from './figures.ts'
import type { Starts } from './start.ts'

export function goalsOf(rows: readonly Row[], starts: Starts | undefined): Goal[] {
  const produce = ratiosOf(rows, 'produce', 'off', 'recordsPerSecond')
  const consume = ratiosOf(rows, 'consume', 'off', 'recordsPerSecond')
  const deep = ratiosOf(rows, 'produce', 'deep', 'recordsPerSecond')
  const cpu = ratiosOf(rows, 'produce', 'off', 'cpuSeconds')
  const ours = rows.filter(({ role }) => role !== 'kafka')
  const paced = ours.find(({ cell, role }) => cell.kind === 'paced' && cell.acks === 'all' && role === 'off')
  const held = ours.map(({ figures }) => figures.rssMiB).filter(value => value !== undefined)
  const readyMs = starts && Math.max(starts.newMs, starts.againMs ?? 0)
  return [
    { what: 'produce, geometric mean', measured: produce?.mean, bound: { atLeast: 1.2 }, unit: 'x Kafka' },
    leastOf('produce, least of all cells', produce, 1),
    { what: 'produce with deep validation, geometric mean', measured: deep?.mean, bound: { atLeast: 1 }, unit: 'x Kafka' },
    { what: 'consume, geometric mean', measured: consume?.mean, bound: { atLeast: 1 }, unit: 'x Kafka' },
    { what: 'CPU of the broker for a record produced', measured: cpu?.mean, bound: { atMost: 0.75 }, unit: 'x Kafka' },
    { what: 'p99 at 10,000 records/s, acks=all', measured: paced?.figures.p99Ms, bound: { atMost: 10 }, unit: 'ms' },
    { what: 'RSS under load', measured: held.length > 0 ? Math.max(...held) : undefined, bound: { atMost: 300 }, unit: 'MiB' },
    { what: 'RSS when idle', measured: starts?.idleRssMiB, bound: { atMost: 100 }, unit: 'MiB' },
    { what: 'start to ready', measured: readyMs, bound: { atMost: 500 }, unit: 'ms' }
  ]
}

const leastOf = (what: string, ratios: Ratios | undefined, atLeast: number): Goal => ({
  ...{ what, measured: ratios?.least, bound: { atLeast }, unit: 'x Kafka' },
  ...(ratios && { note: ratios.leastIn })
})
