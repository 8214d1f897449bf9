/** The groups of the broker that the command line talks to, and how far each is behind. */
import { type GroupAdmin, groupAdmin, type TopicAdmin, topicAdmin } from '@assay/client'
import { AssayError } from '@assay/errors'
import type { Command } from 'commander'
import { brokerOf } from './broker-access.ts'
import { configOf } from './options.ts'

export interface GroupDoors {
  readonly groups: GroupAdmin
  readonly topics: TopicAdmin
}

export async function withGroups(command: Command, run: (doors: GroupDoors) => Promise<void>): Promise<void> {
  const broker = brokerOf(configOf(command))
  const groups = groupAdmin(broker)
  const topics = topicAdmin(broker)
  try {
    await run({ groups, topics })
  } finally {
    await Promise.all([groups.close(), topics.close()])
  }
}

/** Fails with GROUP_NOT_EMPTY, naming who is in it. A group that is not there is empty. */
export async function assertEmpty({ groups }: GroupDoors, group: string): Promise<void> {
  const there = (await groups.list()).find(({ name }) => name === group)
  if (there === undefined || there.state.toUpperCase() === 'EMPTY') return
  const { members } = await groups.describe(group)
  if (members.length === 0) return
  throw new AssayError('GROUP_NOT_EMPTY', { group, members: members.map(({ memberId }) => memberId).join(', ') })
}

/** Where partitions of topics begin or end: -2n and -1n; of each topic asked once. */
export function offsetsOfTopics({ topics }: GroupDoors): (topic: string, at: bigint) => Promise<ReadonlyMap<number, bigint>> {
  const known = new Map<string, Promise<ReadonlyMap<number, bigint>>>()
  return (topic, at) => {
    const key = `${at}/${topic}`
    const asked =
      known.get(key) ??
      topics.offsets(topic, at).then(found => new Map(found.map(({ partition, offset }) => [partition, offset] as const)))
    known.set(key, asked)
    return asked
  }
}

export interface TopicScope {
  readonly topic: string
  /** Undefined: all of them. */
  readonly partitions: readonly number[] | undefined
}

/** `orders` or `orders:0,3`, repeatable. */
export function collectScopes(text: string, before: readonly TopicScope[]): TopicScope[] {
  const found = /^([a-zA-Z0-9._-]+)(?::(\d{1,9}(?:,\d{1,9})*))?$/.exec(text)
  if (found === null) {
    throw new AssayError('INVALID_ARGUMENT', {
      reason: `--topic ${text}: expected a topic, or a topic with partitions as in orders:0,3`
    })
  }
  return [...before, { topic: found[1]!, partitions: found[2]?.split(',').map(Number) }]
}
