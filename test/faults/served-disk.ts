/** A served process on a disk that has no room, or fails to sync, whenever a test says so. Needs no rights: the recorder's library stands between it and the system. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTopics, errorName, produce, ZERO_UUID } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { type RawClient, readRecords } from '../raw-client.ts'
import { type Served, serve, temporaryDirectory } from '../served.ts'

export interface ServedDisk {
  /** Starts it anew on the same directory. */
  start(): Promise<Served>
  set(fault: 'full' | 'eio', isOn: boolean): void
}

export function servedDisk(shim: string): ServedDisk {
  const directory = temporaryDirectory()
  const switches = temporaryDirectory()
  const [full, eio] = [join(switches, 'full'), join(switches, 'eio')]
  const env = {
    ...{ LD_PRELOAD: shim, POWERCUT_DIR: directory, POWERCUT_FULL: full, POWERCUT_EIO: eio },
    // It would write past the calls that are watched.
    UV_USE_IO_URING: '0'
  }
  return {
    start: () => serve({ directory, env, args: ['--disk-free-bytes-min', '0'] }),
    set(fault, isOn) {
      if (isOn) writeFileSync(join(switches, fault), '')
      else rmSync(join(switches, fault), { force: true })
    }
  }
}

export const TOPIC = 'counted'

export async function createTopic(client: RawClient): Promise<void> {
  const topics = [{ name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const answer = await client.ask(createTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false })
  const { errorCode } = answer.topics[0]!
  if (errorCode !== 0) throw new Error(errorName(errorCode))
}

/** The name of the error, `NONE` when it was acknowledged. */
export async function send(client: RawClient, value: string): Promise<string> {
  const records = encodeBatch({ baseTimestampMs: 1_700_000_000_000, records: [{ key: null, value: Buffer.from(value) }] })
  const topicData = [{ name: TOPIC, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }]
  const { responses } = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData })
  return errorName(responses[0]!.partitionResponses[0]!.errorCode)
}

export async function valuesIn(client: RawClient): Promise<string[]> {
  const values: string[] = []
  for (let offset = 0; ; ) {
    const page = await readRecords(client, { topic: TOPIC, partition: 0, offset })
    if (page.length === 0) return values
    for (const { value } of page) values.push(value!.toString())
    offset = page.at(-1)!.offset + 1
  }
}
