/** What the matrix of every API does not show: parts of an answer, lists, masks of operations, sessions of Fetch, order, and the API of ACLs. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from '@assay/engine'
import {
  type AnyApi,
  createAcls,
  createTopics,
  deleteAcls,
  describeAcls,
  describeCluster,
  errorName,
  fetch,
  findCoordinator,
  listGroups,
  metadata,
  offsetCommit,
  offsetFetch,
  produce,
  type RequestOf,
  type ResponseOf
} from '@assay/protocol'
import { type AuditEvent, openSecurity, type Security } from '@assay/security'
import { silentLogger } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { openEngine, records, session, type TestEngine } from '../../../libs/engine/level/engine.fixture.ts'
import { aclOf } from '../../../test/conformance/security/secured-server.ts'
import { authorize } from './authorize.ts'

const opened: Security[] = []
afterEach(async () => {
  for (const security of opened.splice(0)) await security.close()
})

interface Bench {
  readonly inner: TestEngine
  readonly security: Security
  readonly audited: AuditEvent[]
  asks<A extends AnyApi>(user: string, api: A, version: number, body: object): Promise<ResponseOf<A>>
}

/** Topics a, b and secret, each with a record; root may do everything, anna what the lines say. */
async function open(...lines: string[]): Promise<Bench> {
  const inner = await openEngine()
  const file = join(mkdtempSync(join(tmpdir(), 'assay-authorize-')), 'security.json')
  const acls = lines.map(line => aclOf(`anna ${line}`))
  writeFileSync(file, JSON.stringify({ users: {}, acls, superUsers: ['User:root'] }), { mode: 0o600 })
  const security = await openSecurity({ file, clock: inner.clock, logger: silentLogger, random: randomBytes, failuresMax: 9 })
  opened.push(security)
  const audited: AuditEvent[] = []
  const engine = authorize({
    engine: inner.engine,
    security,
    audit: { report: event => audited.push(event) },
    clock: inner.clock
  })
  const asks = async <A extends AnyApi>(user: string, api: A, version: number, body: object): Promise<ResponseOf<A>> =>
    (await ask(engine, api, version, body as RequestOf<A>, { ...session(), principal: `User:${user}` }))!
  await asks('root', createTopics, 7, {
    topics: ['a', 'b', 'secret'].map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })),
    timeoutMs: 1000,
    validateOnly: false
  })
  await asks('root', produce, 9, produceTo(inner, ['a', 'b', 'secret']))
  audited.length = 0
  return { inner, security, audited, asks }
}

const produceTo = ({ clock }: TestEngine, topics: readonly string[]) => ({
  transactionalId: null,
  acks: -1,
  timeoutMs: 1000,
  topicData: topics.map(name => ({ name, topicId: '', partitionData: [{ index: 0, records: records(clock, name) }] }))
})

const metadataOf = (topics: readonly string[] | null, allowAutoTopicCreation = false) => ({
  topics: topics?.map(name => ({ name, topicId: '0'.repeat(32) })) ?? null,
  allowAutoTopicCreation,
  includeClusterAuthorizedOperations: true,
  includeTopicAuthorizedOperations: true
})

const namesOf = (topics: readonly { readonly name: string | null; readonly errorCode: number }[]): string[] =>
  topics.map(({ name, errorCode }) => (errorCode === 0 ? `${name}` : `${name} ${errorName(errorCode)}`))

const bits = (mask: number): number[] => Array.from({ length: 16 }, (_, bit) => bit).filter(bit => (mask & (1 << bit)) !== 0)

describe('Metadata', () => {
  test('of all topics has those that he may see, and not a word about the others', async () => {
    const { asks, audited } = await open('allow read topic a', 'allow write topic b', 'deny describe topic b')
    expect(namesOf((await asks('anna', metadata, 9, metadataOf(null))).topics)).toEqual(['a'])
    expect(audited).toEqual([])
    expect(namesOf((await asks('root', metadata, 9, metadataOf(null))).topics).length).toBeGreaterThan(3)
  })

  test('by name refuses what he may not see, whether it is there or not, in the order of the request', async () => {
    const { asks, audited } = await open('allow read topic a')
    const { topics } = await asks('anna', metadata, 9, metadataOf(['secret', 'a', 'nowhere']))
    expect(namesOf(topics)).toEqual(['secret TOPIC_AUTHORIZATION_FAILED', 'a', 'nowhere TOPIC_AUTHORIZATION_FAILED'])
    expect(audited.map(({ outcome, resource }) => `${outcome} ${resource?.name}`)).toEqual(['denied secret', 'denied nowhere'])
  })

  test('makes a topic only for who may create it', async () => {
    const { asks } = await open('allow describe topic *', 'allow create topic mine-*')
    const { topics } = await asks('anna', metadata, 9, metadataOf(['other', 'mine-1', 'a'], true))
    expect(namesOf(topics)).toEqual(['other TOPIC_AUTHORIZATION_FAILED', 'mine-1', 'a'])
    expect(namesOf((await asks('anna', metadata, 9, metadataOf(['other']))).topics)).toEqual(['other UNKNOWN_TOPIC_OR_PARTITION'])
  })

  test('tells what he may do: read 3, write 4, create 5, delete 6, alter 7, describe 8, configs 10 and 11', async () => {
    const { asks } = await open(
      'allow read topic a',
      'allow alter-configs topic a',
      'deny alter-configs topic b',
      'allow all topic b'
    )
    const { topics, clusterAuthorizedOperations } = await asks('anna', metadata, 9, metadataOf(['a', 'b']))
    expect(topics.map(({ topicAuthorizedOperations }) => bits(topicAuthorizedOperations))).toEqual([
      [3, 8, 10, 11],
      [3, 4, 5, 6, 7, 8, 10]
    ])
    expect(clusterAuthorizedOperations).toBe(0)
    const root = await asks('root', describeCluster, 0, { includeClusterAuthorizedOperations: true })
    expect(bits(root.clusterAuthorizedOperations)).toEqual([5, 7, 8, 9, 10, 11, 12])
  })
})

test('Produce stores what he may write, and refuses the rest in its place', async () => {
  const { asks, inner } = await open('allow write topic a', 'allow write topic b')
  const { responses } = await asks('anna', produce, 9, produceTo(inner, ['a', 'secret', 'b']))
  expect(
    responses.map(({ name, partitionResponses: [first] }) => `${name} ${errorName(first!.errorCode)} ${first!.baseOffset}`)
  ).toEqual(['a NONE 1', 'secret TOPIC_AUTHORIZATION_FAILED -1', 'b NONE 1'])
})

test('Produce without an answer closes the connection of who may not', async () => {
  const { asks, inner } = await open()
  await expect(asks('anna', produce, 9, { ...produceTo(inner, ['a']), acks: 0 })).rejects.toThrow('he may not write')
})

describe('Fetch', () => {
  const fetchOf = (topics: readonly string[], sessionEpoch: number) => ({
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: 60_000,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch,
    topics: topics.map(topic => ({
      topic,
      topicId: '',
      partitions: [
        {
          partition: 0,
          currentLeaderEpoch: -1,
          fetchOffset: 0n,
          lastFetchedEpoch: -1,
          logStartOffset: -1n,
          partitionMaxBytes: 1 << 20
        }
      ]
    })),
    forgottenTopicsData: [],
    rackId: ''
  })

  test.each([
    ['without a session', -1],
    ['that asks for a session', 0]
  ])('%s brings what he may read, and of the rest nothing but a code', async (_name, epoch) => {
    const { asks } = await open('allow read topic a')
    const { responses } = await asks('anna', fetch, 12, fetchOf(['secret', 'a', 'nowhere'], epoch))
    const told = responses.map(({ topic, partitions: [first] }) => [
      topic,
      errorName(first!.errorCode),
      (first!.records?.length ?? 0) > 0
    ])
    expect(told).toEqual([
      ['secret', 'TOPIC_AUTHORIZATION_FAILED', false],
      ['a', 'NONE', true],
      ['nowhere', 'TOPIC_AUTHORIZATION_FAILED', false]
    ])
  })
})

describe('groups', () => {
  const commit = (groupId: string, topics: readonly string[]) => ({
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: topics.map(name => ({
      name,
      topicId: '',
      partitions: [{ partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }]
    }))
  })

  test('are listed to who may see them, or the cluster', async () => {
    const { asks } = await open('allow describe group g-*')
    for (const group of ['g-1', 'other']) await asks('root', offsetCommit, 8, commit(group, ['a']))
    const list = async (user: string) =>
      (await asks(user, listGroups, 4, { statesFilter: [], typesFilter: [] })).groups.map(({ groupId }) => groupId)
    expect([await list('anna'), await list('root')]).toEqual([['g-1'], ['g-1', 'other']])
  })

  test('tell no offsets of topics that he may not see', async () => {
    const { asks } = await open('allow describe group g', 'allow describe topic a')
    await asks('root', offsetCommit, 8, commit('g', ['a', 'secret']))
    const all = await asks('anna', offsetFetch, 8, {
      groups: [
        { groupId: 'g', topics: null },
        { groupId: 'other', topics: null }
      ],
      requireStable: false
    })
    expect(
      all.groups.map(({ groupId, errorCode, topics }) => [groupId, errorName(errorCode), topics.map(({ name }) => name)])
    ).toEqual([
      ['g', 'NONE', ['a']],
      ['other', 'GROUP_AUTHORIZATION_FAILED', []]
    ])
    const named = await asks('anna', offsetFetch, 8, {
      groups: [{ groupId: 'g', topics: ['a', 'secret'].map(name => ({ name, topicId: '', partitionIndexes: [0] })) }],
      requireStable: false
    })
    expect(
      named.groups[0]!.topics.map(({ name, partitions }) => [
        name,
        errorName(partitions[0]!.errorCode),
        partitions[0]!.committedOffset
      ])
    ).toEqual([
      ['a', 'NONE', 1n],
      ['secret', 'TOPIC_AUTHORIZATION_FAILED', -1n]
    ])
  })

  test('have coordinators for who may see them, each for itself', async () => {
    const { asks } = await open('allow read group g')
    const { coordinators } = await asks('anna', findCoordinator, 4, { key: '', keyType: 0, coordinatorKeys: ['x', 'g'] })
    expect(coordinators.map(({ key, errorCode, port }) => [key, errorName(errorCode), port])).toEqual([
      ['x', 'GROUP_AUTHORIZATION_FAILED', -1],
      ['g', 'NONE', 9092]
    ])
  })
})

describe('ACLs over the protocol', () => {
  const LITERAL = 3
  const PREFIXED = 4
  const creation = (resourceName: string, given: object = {}) => ({
    resourceType: 2,
    resourceName,
    resourcePatternType: LITERAL,
    principal: 'User:anna',
    host: '*',
    operation: 3,
    permissionType: 3,
    ...given
  })
  const filter = (given: object = {}) => ({
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 1,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
    ...given
  })

  test.each<[string, object, string[]]>([
    ['all', {}, ['orders', 'ord', '*', 'other']],
    ['of one name', { resourceNameFilter: 'orders' }, ['orders']],
    ['of literal ones', { patternTypeFilter: LITERAL }, ['orders', '*', 'other']],
    ['that say something about a name', { patternTypeFilter: 2, resourceNameFilter: 'orders' }, ['orders', 'ord', '*']],
    ['of a principal', { principalFilter: 'User:bert' }, ['other']],
    ['of an operation', { operation: 4 }, ['ord']],
    ['that deny', { permissionType: 2 }, ['*']],
    ['of an address', { hostFilter: '10.0.0.1' }, ['other']]
  ])('%s are described, and deleted by the same filter', async (_name, given, expected) => {
    const { asks, security } = await open('allow read subject s')
    const { results } = await asks('root', createAcls, 3, {
      creations: [
        creation('orders'),
        creation('ord', { resourcePatternType: PREFIXED, operation: 4 }),
        creation('*', { permissionType: 2 }),
        creation('other', { principal: 'User:bert', host: '10.0.0.1' })
      ]
    })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 0])
    const { resources } = await asks('root', describeAcls, 3, filter(given))
    expect(resources.map(({ resourceName }) => resourceName).sort()).toEqual(expected.toSorted())
    const { filterResults } = await asks('root', deleteAcls, 3, { filters: [filter(given)] })
    expect(filterResults[0]!.matchingAcls.map(({ resourceName }) => resourceName).sort()).toEqual(expected.toSorted())
    expect((await asks('root', describeAcls, 3, filter(given))).resources).toEqual([])
    // What Kafka has no word for is never touched by its filters.
    expect(security.rules.acls.filter(({ resource }) => resource === 'subject').length).toBe(1)
  })

  test.each<[string, object]>([
    ['an operation that the resource does not have', { resourceType: 3, operation: 4 }],
    ['an unknown operation', { operation: 99 }],
    ['a filter for a pattern', { resourcePatternType: 2 }],
    ['no name', { resourceName: '' }],
    ['a principal without a type', { principal: 'anna' }],
    ['a host that is none', { host: 'somewhere' }],
    ['another cluster', { resourceType: 4, resourceName: 'x', operation: 7 }]
  ])('with %s are refused, and the good ones beside them are made', async (_name, given) => {
    const { asks, security } = await open()
    const { results } = await asks('root', createAcls, 3, { creations: [creation('good'), { ...creation('x'), ...given }] })
    expect(results.map(({ errorCode }) => errorName(errorCode))).toEqual(['NONE', 'INVALID_REQUEST'])
    expect(security.rules.acls.map(({ name }) => name)).toEqual(['good'])
  })

  test('are in force when they are answered, and written down', async () => {
    const { asks, audited } = await open()
    expect(namesOf((await asks('anna', metadata, 9, metadataOf(['a']))).topics)).toEqual(['a TOPIC_AUTHORIZATION_FAILED'])
    await asks('root', createAcls, 3, { creations: [creation('a')] })
    expect(namesOf((await asks('anna', metadata, 9, metadataOf(['a']))).topics)).toEqual(['a'])
    await asks('root', deleteAcls, 3, { filters: [filter()] })
    expect(namesOf((await asks('anna', metadata, 9, metadataOf(['a']))).topics)).toEqual(['a TOPIC_AUTHORIZATION_FAILED'])
    expect(audited.map(({ outcome, request, principal }) => `${principal} ${request} ${outcome}`)).toEqual([
      'User:anna Metadata denied',
      'User:root CreateAcls allowed',
      'User:root DeleteAcls allowed'
    ])
  })

  test('hold for one address alone where they say so', async () => {
    const { asks } = await open()
    await asks('root', createAcls, 3, { creations: [creation('a', { host: '127.0.0.1' }), creation('b', { host: '10.0.0.1' })] })
    expect(namesOf((await asks('anna', metadata, 9, metadataOf(null))).topics)).toEqual(['a'])
  })

  test('are none without a security file', async () => {
    const inner = await openEngine()
    const engine = authorize({ engine: inner.engine, security: undefined, audit: undefined, clock: inner.clock })
    const described = await ask(engine, describeAcls, 3, filter() as never, session())
    const created = await ask(engine, createAcls, 3, { creations: [creation('a')] }, session())
    expect([errorName(described!.errorCode), errorName(created!.results[0]!.errorCode)]).toEqual([
      'SECURITY_DISABLED',
      'SECURITY_DISABLED'
    ])
  })
})

test('an API without a row cannot be served', async () => {
  const inner = await openEngine()
  const unknown = { api: { ...metadata, key: 999, name: 'Unheard' }, versions: [0, 0] as const }
  const engine = { ...inner.engine, apis: [...inner.engine.apis, unknown] }
  expect(() => authorize({ engine, security: undefined, audit: undefined, clock: inner.clock })).toThrow('Unheard has no row')
})
