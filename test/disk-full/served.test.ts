/** A server whose disk runs full: it says so at every door, goes on reading, and goes on writing by itself when there is space. */
import { randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTopics, deleteTopics, errorName, offsetCommit, produce, ZERO_UUID } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { expect, test } from 'vitest'
import { type RawClient, rawClient, readRecords } from '../raw-client.ts'
import { type Served, serve } from '../served.ts'
import { smallDisk } from './small-disk.ts'

const MEBIBYTE = 1 << 20
const BATCH_BYTES = 200_000

const register = (served: Served, subject: string): Promise<Response> =>
  fetch(`${served.http}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ schema: JSON.stringify({ type: 'fixed', name: subject, size: 4 }) })
  })

async function append(
  client: RawClient,
  topic: string,
  bytes: number
): Promise<{ readonly error: string; readonly offset: number }> {
  const records = encodeBatch({ records: [{ key: null, value: randomBytes(bytes) }], baseTimestampMs: Date.now() })
  const { responses } = await client.ask(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }]
  })
  const { errorCode: code, baseOffset } = responses[0]!.partitionResponses[0]!
  return { error: errorName(code), offset: Number(baseOffset) }
}

async function commit(client: RawClient, topic: string, offset: number): Promise<string> {
  const partitions = [{ partitionIndex: 0, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: null }]
  const { topics } = await client.ask(offsetCommit, 8, {
    groupId: 'readers',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1n,
    topics: [{ name: topic, topicId: ZERO_UUID, partitions }]
  })
  return errorName(topics[0]!.partitions[0]!.errorCode)
}

async function create(client: RawClient, name: string): Promise<string> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const answer = await client.ask(createTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false })
  return errorName(answer.topics[0]!.errorCode)
}

async function within5s<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<number> {
  const started = performance.now()
  for (;;) {
    const answer = await ask()
    if (isGood(answer)) return performance.now() - started
    expect(performance.now() - started, `still ${JSON.stringify(answer)}`).toBeLessThan(5000)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

test.each([
  ['before the disk does', 8 * MEBIBYTE],
  ['when the disk does', 0]
])(
  'refuses to write %s, reads, and goes on by itself',
  async (_name, floor) => {
    const disk = smallDisk(48)
    if (disk === undefined) return console.log('skipped: this user may not mount a file system')
    const filler = join(disk.path, 'filler')
    const options = { directory: disk.path, args: ['--disk-free-bytes-min', String(floor)] }
    let served = await serve(options)
    try {
      let client = await rawClient(served.kafka)
      expect((await register(served, 'first')).status).toBe(200)
      expect([await create(client, 'kept'), await create(client, 'doomed')]).toEqual(['NONE', 'NONE'])
      expect(await commit(client, 'kept', 0)).toBe('NONE')
      expect(await append(client, 'kept', 10)).toEqual({ error: 'NONE', offset: 0 })
      let acknowledged = 1

      const { bavail, bsize } = statfsSync(disk.path)
      await writeFile(filler, Buffer.alloc(bavail * bsize - (floor === 0 ? 3 * MEBIBYTE : floor - MEBIBYTE)))
      const refused = async (): Promise<string> => {
        const { error } = await append(client, 'kept', BATCH_BYTES)
        if (error === 'NONE') acknowledged++
        return error
      }
      await within5s(refused, error => error === 'KAFKA_STORAGE_ERROR')

      const answer = await register(served, 'second')
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await answer.json()).toMatchObject({ error_code: 50304, message: expect.stringContaining('by itself') })
      expect(await (await fetch(`${served.http}/health`)).json()).toMatchObject({ status: 'full' })
      expect(await commit(client, 'kept', 1)).not.toBe('NONE')
      expect(await (await fetch(`${served.http}/schemas/ids/1`)).status).toBe(200)
      expect(await readable(client, 'kept')).toBe(acknowledged)
      if (floor > 0) {
        const gone = await client.ask(deleteTopics, 5, { topicNames: ['doomed'], topics: [], timeoutMs: 10_000 })
        expect(errorName(gone.responses[0]!.errorCode), 'what gives back space goes on').toBe('NONE')
      }

      await rm(filler)
      const ms = await within5s(
        () => register(served, 'second').then(({ status }) => status),
        status => status === 200
      )
      console.log(`writes again ${Math.round(ms)} ms after there was space`)
      expect(await (await fetch(`${served.http}/health`)).json()).toMatchObject({ status: 'ok' })
      expect(await (await fetch(`${served.http}/subjects/second/versions/1`)).json()).toMatchObject({ id: 2 })
      expect(await append(client, 'kept', 10)).toEqual({ error: 'NONE', offset: acknowledged })
      expect(await commit(client, 'kept', acknowledged)).toBe('NONE')
      expect(await create(client, 'later')).toBe('NONE')
      client.close()

      expect(await served.stop()).toBe(0)
      served = await serve(options)
      client = await rawClient(served.kafka)
      expect(await readable(client, 'kept')).toBe(acknowledged + 1)
      expect(await (await fetch(`${served.http}/subjects`)).json()).toEqual(expect.arrayContaining(['first', 'second']))
      client.close()
    } finally {
      await served.kill()
      disk.unmount()
    }
  },
  60_000
)

/** Records of the topic: batches of one each. */
async function readable(client: RawClient, topic: string): Promise<number> {
  let count = 0
  for (;;) {
    const records = await readRecords(client, { topic, partition: 0, offset: count })
    if (records.length === 0) return count
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, at) => count + at))
    count += records.length
  }
}
