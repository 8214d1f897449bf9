/** Kafka Streams, unmodified and exactly once: it is killed, its state is deleted, the server is killed, and every count is there once. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { topicAdmin } from '@assay/client'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { type JavaProcess, kafkaFrameworks } from '../../peers/kafka-frameworks.ts'
import { type Served, serve, temporaryDirectory } from '../../served.ts'
import { randomOf, seedOfRun } from '../../suites/random.ts'

const seed = seedOfRun()
const PARTITIONS = 3
const LINES = 3000
const WORDS_IN_LINE = 6
const WORDS = 120
const BATCH_LINES = 50
const TIMEOUT_MS = 120_000

test(`a word count over ${LINES} lines is right after kills on both sides (seed ${seed})`, async ({ skip }) => {
  const frameworks = kafkaFrameworks()
  if ('missing' in frameworks) return skip(frameworks.missing)
  const random = randomOf(seed)
  let served = await serve()
  const state = join(temporaryDirectory(), 'state')
  const start = (): JavaProcess => frameworks.start(join(import.meta.dirname, 'WordCount.java'), [served.kafka, state])
  await createTopics(served)
  let streams = start()
  let reader: Consumer | undefined
  try {
    await streams.says(/STATE RUNNING/, TIMEOUT_MS)
    const expected = new Map<string, number>()
    for (let line = 0; line < LINES; line += BATCH_LINES) {
      const lines = Array.from({ length: BATCH_LINES }, () =>
        Array.from({ length: WORDS_IN_LINE }, () => `word${Math.min(random(WORDS), random(WORDS))}`)
      )
      for (const word of lines.flat()) expected.set(word, (expected.get(word) ?? 0) + 1)
      await send(
        served,
        lines.map(words => words.join(' '))
      )
      if (line === LINES / 5) {
        await streams.kill()
        // What it has counted is on the broker alone.
        rmSync(state, { recursive: true })
        streams = start()
      }
      if (line === (2 * LINES) / 5) {
        const { directory, kafka, http } = served
        await served.kill()
        served = await serve({ directory, kafka, http: new URL(http).host })
      }
      if (line === (3 * LINES) / 5 || line === (4 * LINES) / 5) {
        await streams.kill()
        streams = start()
      }
    }

    const counted = new Map<string, number[]>()
    let total = 0
    reader = clientOf(served).consumer({ groupId: 'reader' })
    await reader.connect()
    await reader.subscribe({ topic: 'counts', fromBeginning: true })
    await reader.run({
      async eachMessage({ message }) {
        const word = message.key!.toString()
        counted.set(word, [...(counted.get(word) ?? []), Number(message.value!.readBigInt64BE())])
        total++
      }
    })
    const wanted = LINES * WORDS_IN_LINE
    for (const deadline = Date.now() + TIMEOUT_MS; total < wanted && Date.now() < deadline; ) await pause(100)
    // What would come twice has to have the time to.
    await pause(3000)
    const steps = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)
    expect(total, streams.output().slice(-6000)).toBe(wanted)
    expect(new Map([...counted].sort())).toEqual(new Map([...expected].sort().map(([word, count]) => [word, steps(count)])))
  } finally {
    await reader?.disconnect()
    await streams.stop()
    expect(await served.stop()).toBe(0)
  }
}, 600_000)

const clientOf = ({ kafka }: Served): Kafka =>
  new Kafka({ brokers: [kafka], clientId: 'word-count-test', logLevel: logLevel.NOTHING, retry: { retries: 10 } })

async function createTopics({ kafka }: Served): Promise<void> {
  const admin = topicAdmin({ bootstrap: kafka, timeoutMs: 10_000 })
  for (const name of ['lines', 'counts']) await admin.create({ name, partitions: PARTITIONS, configs: {} })
  await admin.close()
}

async function send(served: Served, lines: readonly string[]): Promise<void> {
  const producer = clientOf(served).producer({ idempotent: true })
  await producer.connect()
  await producer.send({ topic: 'lines', acks: -1, messages: lines.map(value => ({ value })) })
  await producer.disconnect()
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
