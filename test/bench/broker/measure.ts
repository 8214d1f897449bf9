/** Measures one cell: every broker gets its topic, then they take turns, each round a run of Kafka's own tool. */
import type { KafkaTools } from '../../peers/kafka-tools.ts'
import { endedChildrenCpuMs, forgetPeak, machineCpuMs, rssPeakMiB, usageOf } from '../process-usage.ts'
import { turn } from '../rounds.ts'
import type { Broker } from './brokers.ts'
import type { Cell } from './cells.ts'
import { figuresOf, type Round, type Row } from './figures.ts'
import { separatorPattern } from './payloads.ts'

export interface MeasureParts {
  readonly tools: KafkaTools
  readonly cores: number
  readonly rounds: number
  /** By the size of a record. */
  readonly payloadFiles: ReadonlyMap<number, string>
}

/** Of a producer's records, those that are sent before it is measured: its JIT is at work. */
const WARM_UP_SHARE = 0.2

export async function measureCell(parts: MeasureParts, cell: Cell, brokers: readonly Broker[], topic: string): Promise<Row[]> {
  const rounds = new Map<Broker, Round[]>(brokers.map(broker => [broker, []]))
  const topicOf = (broker: Broker): string => `${topic}-${broker.role}`
  for (const broker of brokers) {
    await broker.createTopic(topicOf(broker))
    if (cell.kind === 'consume') await produce(parts, cell, broker, topicOf(broker))
  }
  for (let round = 0; round < parts.rounds; round++) {
    for (const broker of turn(brokers, round)) rounds.get(broker)!.push(await measure(parts, cell, broker, topicOf(broker)))
  }
  for (const broker of brokers) await broker.deleteTopic(topicOf(broker))
  return brokers.map(broker => ({ cell, role: broker.role, broker: broker.name, figures: figuresOf(rounds.get(broker)!) }))
}

/** Before the first cell: what a JIT needs until it has compiled the paths of a request. */
export async function warmUp(parts: MeasureParts, cell: Cell, broker: Broker, topic: string): Promise<void> {
  await broker.createTopic(topic)
  await produce(parts, cell, broker, topic)
  await consume(parts, cell, broker, topic)
  await broker.deleteTopic(topic)
}

async function measure(parts: MeasureParts, cell: Cell, broker: Broker, topic: string): Promise<Round> {
  forgetPeak(broker.pid)
  const before = usedBy(broker)
  const outcome = await (cell.kind === 'consume' ? consume : produce)(parts, cell, broker, topic)
  const after = usedBy(broker)
  const unknown = {
    cpuSeconds: undefined,
    clientCpuSeconds: undefined,
    rssMiB: undefined,
    othersPercent: undefined,
    idlePercent: undefined
  }
  const round = { ...outcome, ...unknown }
  if (before === undefined || after === undefined) return round
  const brokerMs = after.broker.cpuMs - before.broker.cpuMs
  const clientMs = after.childrenMs - before.childrenMs
  const machineMs = after.machineMs - before.machineMs
  const percent = (ms: number): number => Math.max(0, (ms / ((after.at - before.at) * parts.cores)) * 100)
  return {
    ...round,
    // Milliseconds for a record are thousands of seconds for a million.
    cpuSeconds: (brokerMs * 1000) / cell.records,
    clientCpuSeconds: (clientMs * 1000) / cell.records,
    rssMiB: rssPeakMiB(broker.pid),
    othersPercent: percent(machineMs - brokerMs - clientMs),
    idlePercent: Math.max(0, 100 - percent(machineMs))
  }
}

function usedBy({ pid }: Broker) {
  const [broker, childrenMs, machineMs] = [usageOf(pid), endedChildrenCpuMs(), machineCpuMs()]
  if (broker === undefined || childrenMs === undefined || machineMs === undefined) return undefined
  return { broker, childrenMs, machineMs, at: performance.now() }
}

type Outcome = Pick<Round, 'recordsPerSecond' | 'p50Ms' | 'p99Ms'>

function produce({ tools, payloadFiles }: MeasureParts, cell: Cell, { kafka }: Broker, topic: string): Promise<Outcome> {
  const { recordBytes, records, acks, batchBytes, compression, rate } = cell
  return tools.produce({
    ...{ kafka, topic, records, acks, batchBytes, compression, rate },
    warmUpRecords: Math.floor(records * WARM_UP_SHARE),
    payloadFile: payloadFiles.get(recordBytes)!,
    payloadDelimiter: separatorPattern
  })
}

async function consume({ tools }: MeasureParts, cell: Cell, { kafka }: Broker, topic: string): Promise<Outcome> {
  const { records, recordsPerSecond } = await tools.consume({ kafka, topic, records: cell.records })
  if (records < cell.records) throw new Error(`${records} of ${cell.records} records were read from ${topic} of ${kafka}`)
  return { recordsPerSecond, p50Ms: undefined, p99Ms: undefined }
}
