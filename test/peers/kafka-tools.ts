/** Apache Kafka's own performance tools, ProducerPerformance and ConsumerPerformance, against any broker; their jars resolved by Maven. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../served.ts'
import { mavenJars } from './maven-jars.ts'

const cache = join(import.meta.dirname, '../../.cache/kafka-tools')
const pom = join(import.meta.dirname, 'kafka-tools-pom.xml')
/** The client's own default, named so that both tools' figures say what they were measured with. */
const LINGER_MS = 5
const SILENCE_MS_MAX = 20_000

export interface ProduceOrder {
  readonly kafka: string
  readonly topic: string
  readonly records: number
  /** The first so many are sent but not counted: until then the JIT of the client is at work. */
  readonly warmUpRecords: number
  /** Of payloads in UTF-8, of which each record gets one at random. */
  readonly payloadFile: string
  /** A regular expression of Java; matches nothing within a payload. */
  readonly payloadDelimiter: string
  readonly acks: '1' | 'all'
  readonly batchBytes: number
  readonly compression: string
  /** Records a second; 0 for as fast as it goes. */
  readonly rate: number
}

export interface Produced {
  readonly recordsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface ConsumeOrder {
  readonly kafka: string
  readonly topic: string
  /** So many are read from the start of the topic, which has them. */
  readonly records: number
}

export interface Consumed {
  readonly records: number
  /** While it fetched; joining the group is not counted. */
  readonly recordsPerSecond: number
}

export interface KafkaTools {
  produce(order: ProduceOrder): Promise<Produced>
  consume(order: ConsumeOrder): Promise<Consumed>
}

/** The tools, or why they cannot be had here. */
export function kafkaTools(): KafkaTools | { readonly missing: string } {
  const jars = mavenJars({ pom, directory: cache })
  if ('missing' in jars) return jars
  const logging = join(temporaryDirectory(), 'log4j2.properties')
  writeFileSync(
    logging,
    'rootLogger.level=error\nrootLogger.appenderRefs=err\nrootLogger.appenderRef.err.ref=ERR\nappender.err.type=Console\nappender.err.name=ERR\nappender.err.target=SYSTEM_ERR\nappender.err.layout.type=PatternLayout\nappender.err.layout.pattern=%p %c{1}: %m%n\n'
  )
  const run = (tool: string, args: readonly string[]): Promise<string> =>
    runJava([
      ...['-Xms512m', '-Xmx512m', '-XX:+UseG1GC', `-Dlog4j2.configurationFile=${logging}`, '-cp', join(cache, '*')],
      `org.apache.kafka.tools.${tool}`,
      ...args
    ])
  return {
    produce: async order => producedOf(await run('ProducerPerformance', produceArguments(order))),
    consume: async order => consumedOf(await run('ConsumerPerformance', consumeArguments(order)))
  }
}

function produceArguments(order: ProduceOrder): string[] {
  return [
    ...['--bootstrap-server', order.kafka, '--topic', order.topic],
    ...['--num-records', String(order.records), '--warmup-records', String(order.warmUpRecords)],
    ...['--payload-file', order.payloadFile, '--payload-delimiter', order.payloadDelimiter],
    ...['--throughput', String(order.rate > 0 ? order.rate : -1)],
    '--command-property',
    `acks=${order.acks}`,
    `batch.size=${order.batchBytes}`,
    `compression.type=${order.compression}`,
    `linger.ms=${LINGER_MS}`
  ]
}

function consumeArguments({ kafka, topic, records }: ConsumeOrder): string[] {
  return [
    ...['--bootstrap-server', kafka, '--topic', topic],
    ...['--num-records', String(records), '--timeout', String(SILENCE_MS_MAX)],
    '--hide-header'
  ]
}

/** Reads the last summary of ProducerPerformance: that of the steady state when it had records to warm up with. */
export function producedOf(output: string): Produced {
  const summary = output
    .trimEnd()
    .split('\n')
    .findLast(line => line.includes('99.9th'))
  const figure = (pattern: RegExp): number => Number(pattern.exec(summary ?? '')?.[1] ?? Number.NaN)
  const produced = {
    recordsPerSecond: figure(/sent, ([\d.]+) records\/sec/),
    p50Ms: figure(/ ([\d.]+) ms 50th/),
    p99Ms: figure(/ ([\d.]+) ms 99th/)
  }
  if (Object.values(produced).some(Number.isNaN))
    throw new Error(`ProducerPerformance printed no summary:\n${output.slice(-4000)}`)
  return produced
}

/** Columns: start, end, MB, MB/s, records, records/s, ms to join, ms of fetching, MB/s and records/s of fetching. */
export function consumedOf(output: string): Consumed {
  const columns = output
    .trimEnd()
    .split('\n')
    .map(line => line.split(','))
    .findLast(({ length }) => length === 10)
  const consumed = { records: Number(columns?.[4]), recordsPerSecond: Number(columns?.[9]) }
  if (Object.values(consumed).some(Number.isNaN))
    throw new Error(`ConsumerPerformance printed no figures:\n${output.slice(-4000)}`)
  return consumed
}

/** What it wrote to stdout. Rejects with all that it wrote when it fails: the tools go on after errors, and tell of them on stderr. */
function runJava(args: readonly string[]): Promise<string> {
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const kept = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      kept[name] = (kept[name] + text).slice(-65_536)
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0 && !kept.stderr.includes('ERROR')) resolve(kept.stdout)
      else reject(new Error(`${args.find(arg => arg.startsWith('org.'))} ended with ${code}:\n${kept.stderr}${kept.stdout}`))
    })
  })
}
