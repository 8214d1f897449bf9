/** What admin tools ask of a cluster that is one node. */
import {
  alterPartitionReassignments,
  apiVersions,
  describeCluster,
  describeLogDirs,
  describeQuorum,
  describeTopicPartitions,
  electLeaders,
  errorName,
  incrementalAlterConfigs,
  listConfigResources,
  listPartitionReassignments,
  produce,
  updateFeatures
} from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { expect } from 'vitest'
import type { Case, Kit } from './case.ts'

const NOWHERE = 'nowhere-at-all'
const METADATA = '__cluster_metadata'

const inTurn = async <T, R>(rows: readonly T[], ask: (row: T) => Promise<R>): Promise<R[]> => {
  const answers: R[] = []
  for (const row of rows) answers.push(await ask(row))
  return answers
}

async function elect(kit: Kit, electionType: number, topicPartitions: object[] | null, version = 2) {
  const answer = await kit.ask(electLeaders, { electionType, topicPartitions, timeoutMs: 5000 }, version)
  return { error: errorName(answer.errorCode), results: answer.replicaElectionResults }
}

async function reassign(kit: Kit, name: string, partitionIndex: number, replicas: number[] | null) {
  const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
  const answer = await kit.ask(alterPartitionReassignments, { topics, timeoutMs: 5000 })
  const { errorCode, errorMessage } = answer.responses[0]!.partitions[0]!
  return `${errorName(errorCode)}: ${errorMessage}`.replace(name, 'T').replace(` ${kit.nodeId} `, ' N ')
}

interface PageOf {
  readonly topics: readonly string[]
  readonly limit?: number
  readonly from?: readonly [topic: string, partition: number]
}

/** `0:1,2 1:0 > 1:1`: topics by their place in `names` with their partitions, then the cursor. */
async function page(kit: Kit, names: readonly string[], { topics, limit = 100, from }: PageOf): Promise<string> {
  const answer = await kit.ask(describeTopicPartitions, {
    topics: topics.map(name => ({ name })),
    responsePartitionLimit: limit,
    cursor: from === undefined ? null : { topicName: from[0], partitionIndex: from[1] }
  })
  const place = (name: string | null): string => (names.includes(name!) ? String(names.indexOf(name!)) : String(name))
  const told = answer.topics.map(({ name, errorCode, partitions }) =>
    errorCode === 0
      ? `${place(name)}:${partitions.map(({ partitionIndex }) => partitionIndex)}`
      : `${place(name)} ${errorName(errorCode)}`
  )
  const next = answer.nextCursor
  return [...told, ...(next === null ? [] : ['>', `${place(next.topicName)}:${next.partitionIndex}`])].join(' ')
}

async function update(kit: Kit, given: object, version = 2): Promise<string> {
  const body = { featureUpdates: [given], ...(version > 0 && { validateOnly: true }), timeoutMs: 5000 }
  const { errorCode, errorMessage } = await kit.ask(updateFeatures, body, version)
  const reason = errorMessage?.replace(/^The update failed.*error: /, '').replace(`controller ${kit.nodeId} `, 'controller N ')
  return `${errorName(errorCode)}: ${reason ?? null}`
}

const quorum = (kit: Kit, topicName: string, partitionIndex: number, version = 2) =>
  kit.ask(describeQuorum, { topics: [{ topicName, partitions: [{ partitionIndex }] }] }, version)

export const adminCases: readonly Case[] = [
  {
    name: 'DescribeCluster tells the broker to whom it is asked, and only of brokers',
    ask: kit =>
      inTurn([1, 2, 3], async endpointType => {
        const { errorCode, errorMessage, brokers, controllerId } = await kit.ask(describeCluster, { endpointType })
        const ids = brokers.map(({ brokerId }) => brokerId === kit.nodeId)
        return [errorName(errorCode), errorMessage, ids, controllerId === kit.nodeId]
      }),
    answer: [
      ['NONE', null, [true], true],
      [
        'MISMATCHED_ENDPOINT_TYPE',
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
        [],
        false
      ],
      ['UNSUPPORTED_ENDPOINT_TYPE', 'Unsupported endpoint type 3', [], false]
    ]
  },
  {
    name: 'DescribeLogDirs tells the bytes of a partition as they are stored, and leaves out what is not there',
    ask: async kit => {
      const topic = await kit.topic({ partitions: 2 })
      const records = encodeBatch({ baseTimestampMs: Date.now(), records: [{ key: null, value: Buffer.alloc(1000, 'a') }] })
      const size = records.length
      for (let left = 2; left > 0; left--) {
        const topicData = [{ name: topic, partitionData: [{ index: 1, records: Buffer.from(records) }] }]
        await kit.ask(produce, { acks: -1, timeoutMs: 5000, topicData }, 9)
      }
      const asked = [
        { topic, partitions: [0, 1, 7] },
        { topic: NOWHERE, partitions: [0] }
      ]
      return inTurn([1, 3, 4, 5], async version => {
        const { errorCode, results } = await kit.ask(describeLogDirs, { topics: asked }, version)
        const [directory] = results
        const sizes = directory!.topics.map(({ name, partitions }) => [
          name === topic,
          ...partitions.map(({ partitionIndex, partitionSize }) => `${partitionIndex}: ${Number(partitionSize) / size}`)
        ])
        const { totalBytes: total, usableBytes: usable } = directory!
        return [errorCode, results.length, sizes, total >= usable && usable > 0n]
      })
    },
    answer: [
      [0, 1, [[true, '0: 0', '1: 2']], false],
      [0, 1, [[true, '0: 0', '1: 2']], false],
      [0, 1, [[true, '0: 0', '1: 2']], true],
      [0, 1, [[true, '0: 0', '1: 2']], true]
    ]
  },
  {
    name: 'DescribeLogDirs tells of all topics when none is named, and of none when the list is empty',
    ask: async kit => {
      const topic = await kit.topic()
      return inTurn([null, []], async topics => {
        const { results } = await kit.ask(describeLogDirs, { topics })
        return results[0]!.topics.some(({ name }) => name === topic)
      })
    },
    answer: [true, false]
  },
  {
    name: 'ElectLeaders has nobody to elect',
    ask: async kit => {
      const topic = await kit.topic()
      const asked = [
        { topic, partitions: [0, 9] },
        { topic: NOWHERE, partitions: [0] }
      ]
      const answers = await inTurn([0, 1], type => elect(kit, type, asked))
      return JSON.parse(JSON.stringify(answers).replaceAll(topic, 'T'))
    },
    answer: [0, 1].map(() => ({
      error: 'NONE',
      results: [
        {
          topic: 'T',
          partitionResult: [
            { partitionId: 0, errorCode: 84, errorMessage: 'Leader election not needed for topic partition.' },
            { partitionId: 9, errorCode: 3, errorMessage: 'No such partition as T-9' }
          ]
        },
        {
          topic: NOWHERE,
          partitionResult: [{ partitionId: 0, errorCode: 3, errorMessage: `No such topic as ${NOWHERE}` }]
        }
      ]
    }))
  },
  {
    name: 'ElectLeaders over all partitions names topics without partitions; a type that is none is refused',
    ask: async kit => {
      const topic = await kit.topic()
      const all = await inTurn([0, 1, 2], version => elect(kit, 0, null, version))
      const refused = await elect(kit, 2, [{ topic, partitions: [0] }])
      return [
        all.map(({ error, results }) => [error, results.find(one => one.topic === topic)?.partitionResult]),
        refused.error,
        refused.results[0]!.partitionResult
      ]
    },
    answer: [
      [0, 1, 2].map(() => ['NONE', []]),
      'INVALID_REQUEST',
      [{ partitionId: 0, errorCode: 42, errorMessage: 'Unknown election type 2' }]
    ]
  },
  {
    name: 'AlterPartitionReassignments lets a partition stay, and moves it nowhere',
    ask: async kit => {
      const name = await kit.topic()
      const wishes = [[kit.nodeId], null, [], [kit.nodeId, kit.nodeId], [77], [kit.nodeId, 77], [-1]]
      const known = await inTurn(wishes, replicas => reassign(kit, name, 0, replicas))
      const missing = await inTurn([name, NOWHERE], topic => reassign(kit, topic, 9, [kit.nodeId]))
      return [...known, ...missing]
    },
    answer: [
      'NONE: null',
      'NO_REASSIGNMENT_IN_PROGRESS: null',
      'INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes an empty replica list.',
      'INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes the broker N more than once.',
      'INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes broker 77, but no such broker is registered.',
      'INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes broker 77, but no such broker is registered.',
      'INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes broker -1, but no such broker is registered.',
      'UNKNOWN_TOPIC_OR_PARTITION: Unable to find partition T:9.',
      'UNKNOWN_TOPIC_OR_PARTITION: Unable to find a topic named T.'
    ]
  },
  {
    name: 'ListPartitionReassignments finds none, also of what is not there',
    ask: async kit => {
      const name = await kit.topic()
      const asked = [null, [{ name, partitionIndexes: [0, 9] }], [{ name: NOWHERE, partitionIndexes: [0] }]]
      return inTurn(asked, topics => kit.ask(listPartitionReassignments, { topics }))
    },
    answer: [0, 1, 2].map(() => ({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] }))
  },
  {
    name: 'DescribeQuorum tells one voter, which leads and is never behind',
    ask: kit =>
      inTurn([0, 1, 2], async version => {
        const { errorCode, topics, nodes } = await quorum(kit, METADATA, 0, version)
        const { leaderId, highWatermark, currentVoters, observers } = topics[0]!.partitions[0]!
        const [voter] = currentVoters
        return {
          errorCode,
          leads: leaderId === kit.nodeId && voter!.replicaId === kit.nodeId,
          voters: currentVoters.length + observers.length,
          level: highWatermark > 0n && voter!.logEndOffset >= highWatermark,
          timed: voter!.lastFetchTimestamp > 0n && voter!.lastCaughtUpTimestamp > 0n,
          nodes: nodes.map(({ nodeId, listeners }) => [nodeId === kit.nodeId, listeners.map(({ name }) => name)])
        }
      }),
    answer: [0, 1, 2].map(version => ({
      errorCode: 0,
      leads: true,
      voters: 1,
      level: true,
      timed: version > 0,
      nodes: version > 1 ? [[true, ['CONTROLLER']]] : []
    }))
  },
  {
    name: 'DescribeQuorum hosts the metadata log and nothing else',
    ask: async kit => {
      const topic = await kit.topic()
      const asked = [
        [METADATA, 1],
        [topic, 0]
      ] as const
      return inTurn(asked, async ([name, partition]) => {
        const { errorCode, topics } = await quorum(kit, name, partition)
        const { errorCode: code, errorMessage } = topics[0]!.partitions[0]!
        return [errorCode, errorName(code), errorMessage]
      })
    },
    answer: [0, 1].map(() => [0, 'UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.'])
  },
  {
    name: 'UpdateFeatures refuses what it does not know, in words',
    ask: kit =>
      inTurn(
        [
          { feature: 'nope', maxVersionLevel: 1 },
          { feature: '', maxVersionLevel: 1 },
          { feature: 'nope', maxVersionLevel: -1 },
          { feature: 'nope', maxVersionLevel: 1, upgradeType: 7 },
          { feature: 'nope', maxVersionLevel: 1, upgradeType: 0 }
        ],
        given => update(kit, given)
      ),
    answer: [
      'INVALID_UPDATE_VERSION: Invalid update version 1 for feature nope. Local controller N does not support this feature.',
      'INVALID_UPDATE_VERSION: Invalid update version 1 for feature . Local controller N does not support this feature.',
      'INVALID_UPDATE_VERSION: Invalid update version -1 for feature nope. A feature version cannot be less than 0.',
      'INVALID_UPDATE_VERSION: Invalid update version 1 for feature nope. The controller does not support the given upgrade type.',
      'INVALID_UPDATE_VERSION: Invalid update version 1 for feature nope. The controller does not support the given upgrade type.'
    ]
  },
  {
    name: 'UpdateFeatures raises a feature to the level that it has',
    ask: async kit => {
      const about = { clientSoftwareName: 'table', clientSoftwareVersion: '1' }
      const { finalizedFeatures, finalizedFeaturesEpoch } = await kit.ask(apiVersions, about, 4)
      const levels = finalizedFeatures.filter(({ name }) => name === 'group.version' || name === 'transaction.version')
      const outcomes = await inTurn(levels, ({ name, maxVersionLevel }) => update(kit, { feature: name, maxVersionLevel }))
      return [
        finalizedFeaturesEpoch >= 0n,
        outcomes.every(outcome => outcome === 'NONE: null'),
        await update(
          kit,
          levels[0] === undefined ? { feature: 'nope', maxVersionLevel: 0 } : { feature: levels[0].name, maxVersionLevel: 0 }
        )
      ]
    },
    answer: [true, true, expect.stringMatching(/^INVALID_UPDATE_VERSION: Invalid update version 0 for feature/)]
  },
  {
    name: 'ListConfigResources names topics and the broker; version 0 knows client metrics alone',
    ask: async kit => {
      const topic = await kit.topic()
      const listed = async (resourceTypes: number[], version = 1): Promise<unknown> => {
        const body = version === 0 ? {} : { resourceTypes }
        const { errorCode, configResources } = await kit.ask(listConfigResources, body, version)
        const ours = configResources
          .filter(({ resourceName }) => resourceName === topic || resourceName === String(kit.nodeId))
          .map(({ resourceName, resourceType }) => `${resourceName === topic ? 'T' : 'N'}${resourceType}`)
        return [errorName(errorCode), ...ours.sort()]
      }
      return [
        await listed([], 0),
        await listed([2]),
        await listed([4]),
        await listed([4, 2, 2]),
        await listed([16]),
        await listed([5]),
        await listed([2, 99])
      ]
    },
    answer: [
      ['NONE'],
      ['NONE', 'T2'],
      ['NONE', 'N4'],
      ['NONE', 'N4', 'T2'],
      ['NONE'],
      ['UNSUPPORTED_VERSION'],
      ['UNSUPPORTED_VERSION']
    ]
  },
  {
    name: 'ListConfigResources names the groups that somebody has set something for',
    ask: async kit => {
      const group = await kit.topic()
      const listed = async (): Promise<boolean> => {
        const { configResources } = await kit.ask(listConfigResources, { resourceTypes: [32] })
        return configResources.some(({ resourceName, resourceType }) => resourceName === group && resourceType === 32)
      }
      const before = await listed()
      const config = { name: 'consumer.session.timeout.ms', configOperation: 0, value: '50000' }
      const resources = [{ resourceType: 32, resourceName: group, configs: [config] }]
      await kit.ask(incrementalAlterConfigs, { resources })
      for (let left = 50; left > 0 && !(await listed()); left--) await new Promise(resolve => setTimeout(resolve, 20))
      const after = await listed()
      await kit.ask(incrementalAlterConfigs, {
        resources: [{ ...resources[0], configs: [{ ...config, configOperation: 1, value: null }] }]
      })
      return [before, after]
    },
    answer: [false, true]
  },
  {
    name: 'ListConfigResources of all types',
    ask: async kit => {
      const { configResources } = await kit.ask(listConfigResources, { resourceTypes: [] })
      return [...new Set(configResources.map(({ resourceType }) => resourceType))].sort()
    },
    answer: [2, 4],
    kafka: { answer: [2, 4, 8], why: 'loggers have no settings here' }
  },
  {
    name: 'DescribeTopicPartitions turns pages in the order of names',
    ask: async kit => {
      const names = [await kit.topic({ partitions: 3 }), await kit.topic({ partitions: 2 })] as const
      const topics = [names[1], names[0], names[0]]
      return inTurn<PageOf, string>(
        [
          { topics },
          { topics, limit: 2 },
          { topics, limit: 3 },
          { topics, limit: 0 },
          { topics, limit: -5 },
          { topics, from: [names[0], 2] },
          { topics, from: [names[0], 3] },
          { topics, from: [names[1], 1], limit: 1 }
        ],
        asked => page(kit, names, asked)
      )
    },
    answer: ['0:0,1,2 1:0,1', '0:0,1 > 0:2', '0:0,1,2 > 1:0', '0:0 > 0:1', '0:0 > 0:1', '0:2 1:0,1', '0: 1:0,1', '1:1']
  },
  {
    name: 'DescribeTopicPartitions tells what is not there, and refuses a cursor that is astray',
    ask: async kit => {
      const names = [await kit.topic(), await kit.topic()] as const
      return inTurn<PageOf, string>(
        [
          { topics: [NOWHERE] },
          { topics: [NOWHERE], from: [NOWHERE, 0] },
          { topics: ['in valid'] },
          { topics: [names[0]], from: [names[1], 0] },
          { topics: [names[0]], from: [names[0], -1] }
        ],
        asked => page(kit, names, asked)
      )
    },
    answer: [
      `${NOWHERE} UNKNOWN_TOPIC_OR_PARTITION`,
      `${NOWHERE} UNKNOWN_TOPIC_OR_PARTITION`,
      'in valid INVALID_TOPIC_EXCEPTION',
      '0 INVALID_REQUEST',
      '0 INVALID_REQUEST'
    ]
  },
  {
    name: 'DescribeTopicPartitions names all topics from the cursor on when none is asked for',
    ask: async kit => {
      const names = [await kit.topic({ partitions: 3 }), await kit.topic({ partitions: 1 })] as const
      return page(kit, names, { topics: [], from: [names[0], 1] }).then(told => told.split(' ').slice(0, 2))
    },
    answer: ['0:1,2', '1:0']
  }
]
