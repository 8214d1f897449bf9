/** The figures of a run as text: the starts, a row for each broker in each cell, the goals. */
import { type Goal, goalCells } from '../goals.ts'
import { machine } from '../machine.ts'
import { type Cells, render } from '../table.ts'
import { type Row, ratioOf } from './figures.ts'
import type { Starts } from './start.ts'

export interface Page {
  readonly rounds: number
  readonly starts: StartsOfBoth | undefined
  readonly rows: readonly Row[]
  readonly goals: readonly Goal[]
}

interface StartsOfBoth {
  readonly assay: Starts
  readonly peer: Starts
}

export function page({ rounds, starts, rows, goals }: Page): string {
  const { cpu, cores, memoryGiB, node } = machine()
  const lines = [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}`,
    'Client: ProducerPerformance and ConsumerPerformance of Apache Kafka 4.3, on the same cores. One partition, Avro payloads.',
    'Assay: flush=commit, fdatasync before each acknowledgement. Apache Kafka 4.4: its defaults, page cache. Deep: each payload is validated.',
    `Medians of ${rounds} rounds, the brokers taking turns. x: as a multiple of Kafka's. CPU, client: the seconds of the broker and of the client for a million records.`,
    'RSS: the most in a round. Others: the share of the machine that neither the broker nor the client used. Idle: the share that nobody used.'
  ]
  if (starts !== undefined) lines.push('', render(startCells(starts)))
  if (rows.length > 0) lines.push('', render(rows.map(row => rowCells(rows, row))))
  return [...lines, '', render(goals.map(goalCells))].join('\n')
}

const shown = (value: number | undefined, digits = 0): string => (value === undefined ? '-' : value.toFixed(digits))

function startCells({ assay, peer }: StartsOfBoth): Cells[] {
  const row = (what: string, of: (from: Starts) => number | undefined): Cells => ({
    what,
    Assay: shown(of(assay)),
    'Apache Kafka': shown(of(peer))
  })
  return [
    row('start to first answers, new directory, ms', ({ newMs }) => newMs),
    row('start to first answers, again, ms', ({ againMs }) => againMs),
    row('RSS when idle, MiB', ({ idleRssMiB }) => idleRssMiB)
  ]
}

function rowCells(rows: readonly Row[], row: Row): Cells {
  const { cell, role, broker, figures } = row
  const isPaced = cell.rate > 0
  return {
    what: isPaced ? `produce at ${cell.rate}/s` : cell.kind,
    record: `${cell.recordBytes} B`,
    batch: `${cell.batchBytes >> 10} KB`,
    acks: cell.kind === 'consume' ? '' : cell.acks,
    codec: cell.compression,
    broker,
    'records/s': shown(figures.recordsPerSecond),
    'MB/s': shown((figures.recordsPerSecond * cell.recordBytes) / 1e6, 1),
    x: role === 'kafka' || isPaced ? '' : shown(ratioOf(rows, row, 'recordsPerSecond'), 2),
    'p50 ms': cell.kind === 'consume' ? '' : shown(figures.p50Ms),
    'p99 ms': cell.kind === 'consume' ? '' : shown(figures.p99Ms),
    CPU: shown(figures.cpuSeconds, 2),
    'CPU x': role === 'kafka' ? '' : shown(ratioOf(rows, row, 'cpuSeconds'), 2),
    client: shown(figures.clientCpuSeconds, 2),
    'RSS MiB': shown(figures.rssMiB),
    others: shown(figures.othersPercent),
    idle: shown(figures.idlePercent)
  }
}
