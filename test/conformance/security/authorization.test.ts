/**
 * The authorization matrix of the Kafka door: every API that is served, with no, bad, expired, another's and the right credentials. The right
 * ones are no more than the ACLs that Kafka asks for; whoever lacks them gets the code that Kafka answers.
 */
import {
  type AnyApi,
  type AnyField,
  apiByKey,
  apiVersions,
  errorName,
  Field,
  type Fields,
  saslAuthenticate,
  saslHandshake
} from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { accessTable } from '../../../apps/broker/security/authorize.ts'
import { type RawClient, rawClient } from '../../raw-client.ts'
import { aclOf, logInByToken, logInPlain, type SecuredServer, securedServer } from './secured-server.ts'

interface Sample {
  readonly api: string
  /** Fields that are not given are at their defaults; those of other versions are left out. */
  readonly body: object
  /**
   * What one without ACLs gets: a code somewhere in the answer, or `listed`: an answer with nothing of what is there, or `open`: an answer as
   * everybody has it.
   */
  readonly refused: string | 'listed' | 'open'
  /** `read topic mine`: the least that it takes. */
  readonly acls: readonly string[]
}

const TOPIC = 'TOPIC_AUTHORIZATION_FAILED'
const GROUP = 'GROUP_AUTHORIZATION_FAILED'
const CLUSTER = 'CLUSTER_AUTHORIZATION_FAILED'
const TRANSACTION = 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
const authorizationCodes = [TOPIC, GROUP, CLUSTER, TRANSACTION]

const record = encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('v') }], baseTimestampMs: 1 })
/** Set when the topic has been made. */
const topicId = { value: '' }
const mine = { name: 'mine', topic: 'mine', topicName: 'mine' }
const ofMine = (fields: object) => ({
  ...mine,
  get topicId() {
    return topicId.value
  },
  ...fields
})
const CONFIG_TOPIC = 2
const acl = {
  resourceType: 2,
  resourceName: 'x',
  resourcePatternType: 3,
  principal: 'User:x',
  host: '*',
  operation: 3,
  permissionType: 3
}
const anyAcl = {
  resourceTypeFilter: 1,
  resourceNameFilter: 'x',
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1
}

const samples: readonly Sample[] = [
  {
    api: 'Produce',
    body: { acks: -1, timeoutMs: 1000, topicData: [ofMine({ partitionData: [{ index: 0, records: record }] })] },
    refused: TOPIC,
    acls: ['write topic mine']
  },
  {
    api: 'Fetch',
    body: { topics: [ofMine({ partitions: [{ partition: 0, partitionMaxBytes: 1000 }] })] },
    refused: TOPIC,
    acls: ['read topic mine']
  },
  {
    api: 'ListOffsets',
    body: { topics: [ofMine({ partitions: [{ timestamp: -1n }] })] },
    refused: TOPIC,
    acls: ['describe topic mine']
  },
  { api: 'Metadata', body: { topics: [mine], allowAutoTopicCreation: false }, refused: TOPIC, acls: ['describe topic mine'] },
  {
    api: 'OffsetCommit',
    body: { groupId: 'mine', topics: [ofMine({ partitions: [{ partitionIndex: 0, committedOffset: 0n }] })] },
    refused: GROUP,
    acls: ['read group mine', 'read topic mine']
  },
  {
    api: 'OffsetFetch',
    body: {
      groupId: 'mine',
      topics: [{ name: 'mine', partitionIndexes: [0] }],
      groups: [{ groupId: 'mine', topics: [ofMine({ partitionIndexes: [0] })] }]
    },
    refused: GROUP,
    acls: ['describe group mine', 'describe topic mine']
  },
  { api: 'FindCoordinator', body: { key: 'mine', coordinatorKeys: ['mine'] }, refused: GROUP, acls: ['describe group mine'] },
  {
    api: 'JoinGroup',
    body: {
      groupId: 'mine',
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 1,
      protocolType: 'consumer',
      protocols: [{ name: 'range' }]
    },
    refused: GROUP,
    acls: ['read group mine']
  },
  { api: 'Heartbeat', body: { groupId: 'mine', memberId: 'm' }, refused: GROUP, acls: ['read group mine'] },
  {
    api: 'LeaveGroup',
    body: { groupId: 'mine', memberId: 'm', members: [{ memberId: 'm' }] },
    refused: GROUP,
    acls: ['read group mine']
  },
  { api: 'SyncGroup', body: { groupId: 'mine', memberId: 'm' }, refused: GROUP, acls: ['read group mine'] },
  { api: 'DescribeGroups', body: { groups: ['mine'] }, refused: GROUP, acls: ['describe group mine'] },
  { api: 'ListGroups', body: {}, refused: 'listed', acls: ['describe group mine'] },
  {
    api: 'CreateTopics',
    body: { topics: [{ name: 'made', numPartitions: 1, replicationFactor: 1 }], validateOnly: true },
    refused: TOPIC,
    acls: ['create topic made', 'describe-configs topic made']
  },
  {
    api: 'DeleteTopics',
    body: { topics: [{ name: 'gone' }], topicNames: ['gone'] },
    refused: TOPIC,
    acls: ['delete topic gone']
  },
  {
    api: 'DeleteRecords',
    body: { topics: [{ name: 'mine', partitions: [{ offset: 0n }] }] },
    refused: TOPIC,
    acls: ['delete topic mine']
  },
  { api: 'InitProducerId', body: { transactionalId: null }, refused: CLUSTER, acls: ['write topic any'] },
  {
    api: 'OffsetForLeaderEpoch',
    body: { topics: [{ topic: 'mine', partitions: [{ partition: 0 }] }] },
    refused: TOPIC,
    acls: ['describe topic mine']
  },
  {
    api: 'AddPartitionsToTxn',
    body: {
      v3AndBelowTransactionalId: 'mine',
      v3AndBelowTopics: [{ name: 'mine', partitions: [0] }],
      transactions: [{ transactionalId: 'mine', topics: [{ name: 'mine', partitions: [0] }] }]
    },
    refused: TRANSACTION,
    acls: ['write transactional-id mine', 'write topic mine']
  },
  {
    api: 'AddOffsetsToTxn',
    body: { transactionalId: 'mine', groupId: 'mine' },
    refused: TRANSACTION,
    acls: ['write transactional-id mine', 'read group mine']
  },
  { api: 'EndTxn', body: { transactionalId: 'mine' }, refused: TRANSACTION, acls: ['write transactional-id mine'] },
  {
    api: 'WriteTxnMarkers',
    body: { markers: [{ producerId: 1n, topics: [{ name: 'mine', partitionIndexes: [0] }] }] },
    refused: CLUSTER,
    acls: ['alter cluster kafka-cluster']
  },
  {
    api: 'TxnOffsetCommit',
    body: { transactionalId: 'mine', groupId: 'mine', topics: [ofMine({ partitions: [{ partitionIndex: 0 }] })] },
    refused: TRANSACTION,
    acls: ['write transactional-id mine', 'read group mine', 'read topic mine']
  },
  { api: 'DescribeAcls', body: anyAcl, refused: CLUSTER, acls: ['describe cluster kafka-cluster'] },
  { api: 'CreateAcls', body: { creations: [acl] }, refused: CLUSTER, acls: ['alter cluster kafka-cluster'] },
  { api: 'DeleteAcls', body: { filters: [anyAcl] }, refused: CLUSTER, acls: ['alter cluster kafka-cluster'] },
  {
    api: 'DescribeConfigs',
    body: { resources: [{ resourceType: CONFIG_TOPIC, resourceName: 'mine', configurationKeys: null }] },
    refused: TOPIC,
    acls: ['describe-configs topic mine']
  },
  {
    api: 'AlterConfigs',
    body: { resources: [{ resourceType: CONFIG_TOPIC, resourceName: 'mine' }], validateOnly: true },
    refused: TOPIC,
    acls: ['alter-configs topic mine']
  },
  {
    api: 'IncrementalAlterConfigs',
    body: { resources: [{ resourceType: CONFIG_TOPIC, resourceName: 'mine' }], validateOnly: true },
    refused: TOPIC,
    acls: ['alter-configs topic mine']
  },
  { api: 'AlterReplicaLogDirs', body: {}, refused: 'listed', acls: ['alter cluster kafka-cluster'] },
  { api: 'DescribeLogDirs', body: { topics: null }, refused: 'listed', acls: ['describe cluster kafka-cluster'] },
  {
    api: 'CreatePartitions',
    body: { topics: [{ name: 'mine', count: 2, assignments: null }], validateOnly: true },
    refused: TOPIC,
    acls: ['alter topic mine']
  },
  { api: 'DeleteGroups', body: { groupsNames: ['mine'] }, refused: GROUP, acls: ['delete group mine'] },
  {
    api: 'ElectLeaders',
    body: { topicPartitions: [{ topic: 'mine', partitions: [0] }] },
    refused: 'listed',
    acls: ['alter cluster kafka-cluster']
  },
  { api: 'AlterPartitionReassignments', body: { topics: [] }, refused: CLUSTER, acls: ['alter cluster kafka-cluster'] },
  { api: 'ListPartitionReassignments', body: { topics: null }, refused: CLUSTER, acls: ['describe cluster kafka-cluster'] },
  {
    api: 'OffsetDelete',
    body: { groupId: 'mine', topics: [{ name: 'mine', partitions: [{ partitionIndex: 0 }] }] },
    refused: GROUP,
    acls: ['delete group mine', 'read topic mine']
  },
  { api: 'DescribeClientQuotas', body: {}, refused: CLUSTER, acls: ['describe-configs cluster kafka-cluster'] },
  {
    api: 'AlterClientQuotas',
    body: { entries: [{ entity: [{ entityType: 'user', entityName: 'x' }] }], validateOnly: true },
    refused: CLUSTER,
    acls: ['alter-configs cluster kafka-cluster']
  },
  { api: 'DescribeUserScramCredentials', body: { users: null }, refused: CLUSTER, acls: ['describe cluster kafka-cluster'] },
  {
    api: 'AlterUserScramCredentials',
    body: { deletions: [{ name: 'nobody', mechanism: 1 }] },
    refused: CLUSTER,
    acls: ['alter cluster kafka-cluster']
  },
  { api: 'DescribeQuorum', body: { topics: [] }, refused: CLUSTER, acls: ['describe cluster kafka-cluster'] },
  { api: 'UpdateFeatures', body: { validateOnly: true }, refused: CLUSTER, acls: ['alter cluster kafka-cluster'] },
  { api: 'DescribeCluster', body: { endpointType: 1 }, refused: 'open', acls: [] },
  {
    api: 'DescribeProducers',
    body: { topics: [{ name: 'mine', partitionIndexes: [0] }] },
    refused: TOPIC,
    acls: ['read topic mine']
  },
  { api: 'UnregisterBroker', body: { brokerId: 99 }, refused: CLUSTER, acls: ['alter cluster kafka-cluster'] },
  {
    api: 'DescribeTransactions',
    body: { transactionalIds: ['mine'] },
    refused: TRANSACTION,
    acls: ['describe transactional-id mine']
  },
  { api: 'ListTransactions', body: {}, refused: 'listed', acls: ['describe transactional-id mine'] },
  {
    api: 'ConsumerGroupHeartbeat',
    body: { groupId: 'mine-848', memberId: 'm', subscribedTopicNames: ['mine'] },
    refused: GROUP,
    acls: ['read group mine-848', 'describe topic mine']
  },
  { api: 'ConsumerGroupDescribe', body: { groupIds: ['mine-848'] }, refused: GROUP, acls: ['describe group mine-848'] },
  { api: 'GetTelemetrySubscriptions', body: {}, refused: 'open', acls: [] },
  { api: 'PushTelemetry', body: {}, refused: 'open', acls: [] },
  { api: 'ListConfigResources', body: {}, refused: CLUSTER, acls: ['describe-configs cluster kafka-cluster'] },
  {
    api: 'DescribeTopicPartitions',
    body: { topics: [{ name: 'mine' }], responsePartitionLimit: 10, cursor: null },
    refused: TOPIC,
    acls: ['describe topic mine']
  }
]

let secured: SecuredServer
let served: { readonly api: AnyApi; readonly versions: readonly [number, number] }[] = []

beforeAll(async () => {
  secured = await securedServer({
    users: ['anna'],
    superUsers: ['root'],
    acls: samples.flatMap(({ api, acls }) => acls.map(line => `only-${api} allow ${line}`)),
    settings: { loginFailuresMax: 1_000_000 }
  })
  const root = await dialAs('root')
  const { apiKeys } = await root.ask(apiVersions, 0, filled(apiVersions.request, {}) as never)
  served = apiKeys
    .map(({ apiKey, minVersion, maxVersion }) => ({
      api: apiByKey(apiKey)!,
      versions: [Math.max(minVersion, apiByKey(apiKey)!.versions[0]), maxVersion] as const
    }))
    .filter(({ api }) => ![apiVersions, saslHandshake, saslAuthenticate].some(({ key }) => key === api.key))
  const createTopics = apiByKey(19)!
  const made = await root.ask(
    createTopics,
    7,
    filled(createTopics.request, { topics: [{ name: 'mine', numPartitions: 1, replicationFactor: 1 }] }) as never
  )
  topicId.value = (made as unknown as { topics: { topicId: string }[] }).topics[0]!.topicId
  // The other's group and offsets, so that a list of them has something to leave out.
  const commit = apiByKey(8)!
  await root.ask(commit, 9, filled(commit.request, samples.find(({ api }) => api === 'OffsetCommit')!.body) as never)
})
afterAll(() => secured.close())

/** Of a user who is nowhere but in the ACLs: a token makes him one. */
async function dialAs(user: string): Promise<RawClient> {
  const client = await rawClient(secured.server.kafka)
  const { errorCode } = await logInByToken(client, await secured.tokenOf(user))
  expect(errorCode).toBe(0)
  return client
}

/** A message with what is given, and the rest at its defaults. */
function filled(fields: Fields, given: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { shape }]: [string, AnyField]) => {
      const value = (given as Record<string, unknown>)[name]
      const inner = shape.of === undefined || shape.of instanceof Field ? undefined : (shape.of as Fields)
      if (value === undefined) return [name, shape.kind === 'array' && shape.nullableSince > 0 ? [] : shape.fallback]
      if (inner === undefined || value === null) return [name, value]
      return [
        name,
        shape.kind === 'array' ? (value as object[]).map(element => filled(inner, element)) : filled(inner, value as object)
      ]
    })
  )
}

/** Every code in an answer, wherever it stands. */
function codesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(codesIn)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    /errorCode$/i.test(key) && typeof inner === 'number' ? [errorName(inner)] : codesIn(inner)
  )
}

/** Names of what is there, in the lists of an answer. */
const tells = (value: unknown): boolean =>
  JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? Number(inner) : inner)).includes('"mine"')

test('every API that is served has a row in the table and a sample here', () => {
  expect(served.length).toBeGreaterThan(25)
  expect(served.filter(({ api }) => !samples.some(sample => sample.api === api.name)).map(({ api }) => api.name)).toEqual([])
  for (const { api } of served) expect(accessTable.get(api.key)?.name).toBe(api.name)
})

describe.each(samples)('$api', ({ api: name, body, refused, acls }) => {
  /** What is not served needs no credentials; a row of the table stands ready for it. */
  const found = (context: TestContext) => served.find(({ api }) => api.name === name) ?? context.skip(`${name} is not served`)
  const atVersions = async (
    context: TestContext,
    client: () => Promise<RawClient>,
    check: (answer: unknown, version: number) => void
  ): Promise<void> => {
    const { api, versions } = found(context)
    for (const version of new Set(versions)) {
      const asking = await client()
      const answer = await asking.ask(api, version, filled(api.request, body) as never)
      check(answer, version)
      asking.close()
    }
  }

  test.for<[string, (client: RawClient) => Promise<unknown>]>([
    ['no', async () => {}],
    ['bad', client => logInPlain(client, 'anna', 'guess')],
    ['expired', async client => logInByToken(client, await secured.tokenOf('root', { expiresInS: -60 }))]
  ])('with %s credentials is not answered', async ([, logIn], context) => {
    const { api, versions } = found(context)
    const client = await rawClient(secured.server.kafka)
    await logIn(client)
    await expect(client.ask(api, versions[1], filled(api.request, body) as never)).rejects.toThrow('the connection is gone')
  })

  test("with another's credentials is refused as Kafka does", async context => {
    await atVersions(
      context,
      () => dialAs('other'),
      (answer, version) => {
        const codes = codesIn(answer)
        if (refused === 'open') expect(codes.filter(code => authorizationCodes.includes(code))).toEqual([])
        else if (refused === 'listed') expect([tells(answer), `version ${version}`]).toEqual([false, `version ${version}`])
        else expect([...new Set(codes.filter(code => code !== 'NONE'))], `version ${version}`).toEqual([refused])
      }
    )
  })

  test(`with the right credentials is answered: ${acls.join(', ')}`, async context => {
    await atVersions(
      context,
      () => dialAs(`only-${name}`),
      (answer, version) => {
        expect(
          codesIn(answer).filter(code => authorizationCodes.includes(code)),
          `version ${version}`
        ).toEqual([])
      }
    )
  })

  test.runIf(acls.length > 0 && refused !== 'listed')('without any one of the ACLs is refused', async context => {
    const { api, versions } = found(context)
    for (const missing of acls) {
      // What an answer shows beside is left out, and not refused.
      if (name === 'CreateTopics' && missing.startsWith('describe-configs')) continue
      const others = acls.filter(line => line !== missing)
      const user = `all-but-${name}-${acls.indexOf(missing)}`
      const root = await dialAs('root')
      const createAcls = apiByKey(30)!
      const creations = others.map(line => kafkaAcl(`${user} allow ${line}`))
      const made = await root.ask(createAcls, 3, { creations } as never)
      expect(codesIn(made).every(code => code === 'NONE')).toBe(true)
      const client = await dialAs(user)
      const answer = await client.ask(api, versions[1], filled(api.request, body) as never)
      expect(
        codesIn(answer).some(code => authorizationCodes.includes(code)),
        `without ${missing}`
      ).toBe(true)
      client.close()
      root.close()
    }
  })
})

const operationCodes = [
  '',
  '',
  'all',
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'cluster-action',
  'describe-configs',
  'alter-configs',
  'idempotent-write'
]
function kafkaAcl(line: string): typeof acl {
  const { principal, operation, resource, name } = aclOf(line)
  return {
    resourceType: ['', '', 'topic', 'group', 'cluster', 'transactional-id'].indexOf(resource),
    resourceName: name,
    resourcePatternType: 3,
    principal,
    host: '*',
    operation: operationCodes.indexOf(operation),
    permissionType: 3
  }
}

test('a member is given no topic by a pattern that it may not know of (KIP-848)', async () => {
  const root = await dialAs('root')
  const create = apiByKey(19)!
  const names = ['pattern-seen', 'pattern-hidden']
  const made = (await root.ask(
    create,
    7,
    filled(create.request, { topics: names.map(name => ({ name, numPartitions: 2, replicationFactor: 1 })) }) as never
  )) as unknown as { topics: { name: string; topicId: string }[] }
  const idOf = (name: string): string => made.topics.find(topic => topic.name === name)!.topicId
  const allow = async (line: string): Promise<void> => {
    const answer = await root.ask(apiByKey(30)!, 3, { creations: [kafkaAcl(`matcher allow ${line}`)] } as never)
    expect(codesIn(answer)).toEqual(['NONE'])
  }
  await allow('read group matchers')
  await allow('describe topic pattern-seen')
  const client = await dialAs('matcher')
  const beat = apiByKey(68)!
  const state = { epoch: 0, owned: [] as { topicId: string; partitions: number[] }[] }
  async function given(more: object = {}): Promise<string[]> {
    const body = { groupId: 'matchers', memberId: 'm', memberEpoch: state.epoch, topicPartitions: state.owned, ...more }
    const answer = (await client.ask(
      beat,
      1,
      filled(beat.request, { subscribedTopicNames: null, ...body }) as never
    )) as unknown as {
      errorCode: number
      memberEpoch: number
      assignment: { topicPartitions: typeof state.owned } | null
    }
    expect(errorName(answer.errorCode)).toBe('NONE')
    state.epoch = answer.memberEpoch
    state.owned = answer.assignment?.topicPartitions ?? state.owned
    return state.owned.map(({ topicId: id }) => id)
  }
  const joining = { subscribedTopicRegex: 'pattern-.*|mine', rebalanceTimeoutMs: 30_000 }
  expect(await given(joining)).toEqual([idOf('pattern-seen')])
  // Leaving and joining once more finds what it may know of by now.
  await given({ memberEpoch: -1 })
  state.owned = []
  state.epoch = 0
  await allow('read topic pattern-hidden')
  expect((await given(joining)).toSorted()).toEqual(names.map(idOf).toSorted())
  client.close()
  root.close()
})
