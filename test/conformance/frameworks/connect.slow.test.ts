/** A Kafka Connect worker, unmodified, in distributed mode: a file goes into a topic and comes out as a file, through a kill of the worker. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { topicAdmin } from '@assay/client'
import { expect, test } from 'vitest'
import { freePort } from '../../peers/free-port.ts'
import { type JavaProcess, kafkaFrameworks } from '../../peers/kafka-frameworks.ts'
import { serve, temporaryDirectory } from '../../served.ts'

const LINES = 2000
const TIMEOUT_MS = 120_000

test(`${LINES} lines of a file come out of a topic as they went in, though the worker is killed`, async ({ skip }) => {
  const frameworks = kafkaFrameworks()
  if ('missing' in frameworks) return skip(frameworks.missing)
  const served = await serve()
  const directory = temporaryDirectory()
  const [input, output] = [join(directory, 'in.txt'), join(directory, 'out.txt')]
  const rest = `http://127.0.0.1:${await freePort()}`
  const config = join(directory, 'worker.properties')
  writeFileSync(config, properties({ bootstrap: served.kafka, rest }))
  const start = (): JavaProcess => frameworks.start('org.apache.kafka.connect.cli.ConnectDistributed', [config])
  const admin = topicAdmin({ bootstrap: served.kafka, timeoutMs: 10_000 })
  await admin.create({ name: 'piped', partitions: 1, configs: {} })
  await admin.close()
  let worker = start()
  try {
    await ready(worker, rest)
    writeFileSync(input, lines(0, LINES / 2))
    await create(rest, 'source', { 'connector.class': 'FileStreamSource', 'tasks.max': '1', file: input, topic: 'piped' })
    await create(rest, 'sink', { 'connector.class': 'FileStreamSink', 'tasks.max': '1', file: output, topics: 'piped' })
    await arrived(worker, output, LINES / 2)

    await worker.kill()
    appendFileSync(input, lines(LINES / 2, LINES))
    worker = start()
    await ready(worker, rest)
    await arrived(worker, output, LINES)
    // Connect promises each line at least once: what was not yet committed at the kill comes again.
    const found = readFileSync(output, 'utf8').split('\n').filter(Boolean)
    expect([...new Set(found)]).toEqual(lines(0, LINES).split('\n').filter(Boolean))
    expect(await statesOf(rest)).toEqual({ source: ['RUNNING', 'RUNNING'], sink: ['RUNNING', 'RUNNING'] })
  } finally {
    await worker.stop()
    expect(await served.stop()).toBe(0)
  }
}, 600_000)

const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, at) => `line ${from + at}\n`).join('')

function properties({ bootstrap, rest }: { readonly bootstrap: string; readonly rest: string }): string {
  return Object.entries({
    'bootstrap.servers': bootstrap,
    'group.id': 'workers',
    listeners: rest,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    // Compacted topics that the worker makes, with the broker's number of replicas.
    ...{ 'config.storage.topic': 'connect-configs', 'config.storage.replication.factor': -1 },
    ...{ 'offset.storage.topic': 'connect-offsets', 'offset.storage.replication.factor': -1, 'offset.storage.partitions': 5 },
    ...{ 'status.storage.topic': 'connect-status', 'status.storage.replication.factor': -1, 'status.storage.partitions': 2 },
    'offset.flush.interval.ms': 500,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 1000,
    'scheduled.rebalance.max.delay.ms': 1000
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

async function ready(worker: JavaProcess, rest: string): Promise<void> {
  await worker.says(/Finished starting connectors and tasks/, TIMEOUT_MS)
  await until(worker, 'its REST answers', async () => (await fetch(`${rest}/connectors`)).ok)
}

async function create(rest: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(`${rest}/connectors/${name}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config)
  })
  expect(answer.status, await answer.text()).toBe(201)
}

/** Of each connector, its own state and those of its tasks. */
async function statesOf(rest: string): Promise<Record<string, string[]>> {
  const states: Record<string, string[]> = {}
  for (const name of ['source', 'sink']) {
    const answer = await fetch(`${rest}/connectors/${name}/status`)
    const { connector, tasks } = (await answer.json()) as { connector: { state: string }; tasks: { state: string }[] }
    states[name] = [connector.state, ...tasks.map(({ state }) => state)]
  }
  return states
}

const arrived = (worker: JavaProcess, path: string, count: number): Promise<void> =>
  until(worker, `${count} lines`, async () => {
    return existsSync(path) && new Set(readFileSync(path, 'utf8').split('\n').filter(Boolean)).size >= count
  })

async function until(worker: JavaProcess, what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; !(await holds().catch(() => false)); ) {
    if (Date.now() > deadline) throw new Error(`${what}: not after ${TIMEOUT_MS} ms\n${worker.output().slice(-8000)}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
