/**
 * The one place that decides about every Kafka request: wraps an engine, so that nothing reaches it that its caller may not do. Every API has
 * a row in the table; an API without one cannot be served. ACLs and users are answered here, for here is where they are known.
 */
import type { Engine, Request, ServedApi, Session } from '@assay/engine'
import {
  type AnyApi,
  alterUserScramCredentials,
  consumerGroupHeartbeat,
  createAcls,
  deleteAcls,
  describeAcls,
  describeUserScramCredentials,
  produce,
  type RequestOf
} from '@assay/protocol'
import {
  type AuditSink,
  CLUSTER,
  type Operation,
  openAttempts,
  type Resource,
  type ResourceType,
  type Rights,
  type Security,
  superRights
} from '@assay/security'
import { assert, type Clock } from '@assay/std'
import { type Asked, blankAt, codeOf, type Row } from './access.ts'
import { clusterRows } from './access-cluster.ts'
import { groupRows } from './access-groups.ts'
import { topicRows } from './access-topics.ts'
import { transactionRows } from './access-transactions.ts'
import { answerCreateAcls, answerDeleteAcls, answerDescribeAcls } from './acls.ts'
import { answerAlterScramUsers, answerDescribeScramUsers } from './scram-users.ts'

export const accessTable: ReadonlyMap<number, Row> = new Map(
  [...topicRows, ...groupRows, ...transactionRows, ...clusterRows].map(row => [row.key, row])
)

export interface AuthorizeParts {
  readonly engine: Engine
  /** Absent: everybody may do everything, and there are neither ACLs nor users. */
  readonly security: Security | undefined
  readonly audit: AuditSink | undefined
  readonly clock: Clock
}

type OwnAnswer = (security: Security | undefined, body: object) => object | Promise<object>

const own: ReadonlyMap<number, { readonly api: AnyApi; readonly answer: OwnAnswer }> = new Map(
  [
    { api: describeAcls, answer: answerDescribeAcls as OwnAnswer },
    { api: createAcls, answer: answerCreateAcls as OwnAnswer },
    { api: deleteAcls, answer: answerDeleteAcls as OwnAnswer },
    { api: describeUserScramCredentials, answer: answerDescribeScramUsers as OwnAnswer },
    { api: alterUserScramCredentials, answer: answerAlterScramUsers as OwnAnswer }
  ].map(row => [row.api.key, row])
)

/** The changes that are written down, also where they are allowed, and what each is a change of. */
const changes: ReadonlyMap<string, readonly [operation: Operation, type: ResourceType]> = new Map([
  ['CreateTopics', ['create', 'topic']],
  ['DeleteTopics', ['delete', 'topic']],
  ['DeleteRecords', ['delete', 'topic']],
  ['CreatePartitions', ['alter', 'topic']],
  ['AlterConfigs', ['alter-configs', 'topic']],
  ['IncrementalAlterConfigs', ['alter-configs', 'topic']],
  ['DeleteGroups', ['delete', 'group']],
  ['OffsetDelete', ['delete', 'group']],
  ['CreateAcls', ['alter', 'cluster']],
  ['DeleteAcls', ['alter', 'cluster']],
  ['AlterUserScramCredentials', ['alter', 'cluster']],
  ['AlterClientQuotas', ['alter-configs', 'cluster']],
  ['UpdateFeatures', ['alter', 'cluster']]
])

/** Fails at once, as a broken invariant, when an API that the engine serves has no row. */
export function authorize({ engine, security, audit, clock }: AuthorizeParts): Engine {
  const apis: readonly ServedApi[] = [...engine.apis, ...[...own.values()].map(({ api }) => ({ api, versions: api.versions }))]
  for (const { api } of apis) {
    assert(accessTable.get(api.key)?.name === api.name, `${api.name} has no row in the authorization table`)
  }
  // A client that is refused asks again and again: each thing is written down once a minute.
  const refusals = openAttempts(clock, 1)

  function report(
    { api }: Request,
    { id, principal, remoteAddress }: Session,
    known: { outcome: 'allowed' | 'denied'; operation: Operation; resource: Resource; errorCode: number | null }
  ): void {
    audit?.report({ ...known, principal, address: remoteAddress, request: api.name, requestId: `kafka-${id}`, atMs: clock.now() })
  }

  function askedBy(request: Request, session: Session, rights: Rights): Asked<object, object> {
    const { api, version } = request
    const body = request.body as object
    // Which topics a pattern matches only the engine knows.
    const isOfPatterns = api.key === consumerGroupHeartbeat.key
    return {
      api,
      version,
      body,
      may(operation, type, name) {
        if (rights.may(operation, type, name)) return true
        const once = `${session.principal}/${api.name}/${operation}/${type}/${name}`
        if (audit && refusals.begin(once) === undefined) {
          report(request, session, { outcome: 'denied', operation, resource: { type, name }, errorCode: codeOf(type) })
        }
        return false
      },
      sees: rights.may,
      mayAny: rights.mayAny,
      topicName: async id => (await engine.topic({ id }))?.name,
      hasTopic: async name => (await engine.topic({ name })) !== undefined,
      // A row that passes gets an answer, but for a Produce that wants none; that it hands on as it is.
      pass: changed =>
        execute(
          { ...request, body: (changed ?? body) as RequestOf<AnyApi> },
          isOfPatterns ? { ...session, seesTopic: sightOf(rights) } : session
        ) as Promise<object>,
      blank: given => blankAt(api, [], given ?? {})
    }
  }

  async function execute(request: Request, session: Session): Promise<object | null> {
    const mine = own.get(request.api.key)
    const answer = await (mine ? mine.answer(security, request.body as object) : engine.answer(request, session))
    const change = audit && changes.get(request.api.name)
    if (change) {
      const [operation, type] = change
      for (const name of namesOf(request, type)) {
        report(request, session, { outcome: 'allowed', operation, resource: { type, name }, errorCode: null })
      }
    }
    return answer
  }

  /** Produce requests of one session reach the engine in the order of the calls, however long looking up the name of a topic takes. */
  const producing = new WeakMap<Session, Promise<unknown>>()
  async function inOrder(row: Row, request: Request, session: Session, rights: Rights): Promise<object | null> {
    const before = producing.get(session)
    const { promise: handedOn, resolve: handOn } = Promise.withResolvers<void>()
    producing.set(session, handedOn)
    try {
      if (before) await before
      const asked = askedBy(request, session, rights)
      const pass: typeof asked.pass = changed => {
        const answer = asked.pass(changed)
        handOn()
        return answer
      }
      return await row.answer({ ...asked, pass })
    } finally {
      handOn()
      if (producing.get(session) === handedOn) producing.delete(session)
    }
  }

  return {
    apis,
    answer(request, session) {
      const row = accessTable.get(request.api.key)
      assert(row !== undefined, `${request.api.name} was found to have a row`)
      const rights = security?.rights(session.principal, session.remoteAddress) ?? superRights
      if (rights === superRights && !row.always && !producing.has(session)) return execute(request, session)
      return row.key === produce.key ? inOrder(row, request, session, rights) : row.answer(askedBy(request, session, rights))
    },
    topic: ref => engine.topic(ref),
    close: () => engine.close()
  }
}

/** It is kept for as long as the member is in its group: without the request that it came with. */
const sightOf =
  (rights: Rights) =>
  (topic: string): boolean =>
    rights.may('describe', 'topic', topic)

/** What a change names, for the audit. */
function namesOf({ body }: Request, type: ResourceType): string[] {
  if (type === CLUSTER.type) return [CLUSTER.name]
  const named = body as {
    readonly topics?: readonly { readonly name?: string | null; readonly topicId?: string }[]
    readonly topicNames?: readonly string[]
    readonly resources?: readonly { readonly resourceName: string }[]
    readonly groupsNames?: readonly string[]
    readonly groupId?: string
  }
  if (type === 'group') return [...(named.groupsNames ?? []), ...(named.groupId === undefined ? [] : [named.groupId])]
  return [
    ...(named.topics ?? []).map(({ name, topicId }) => name ?? topicId ?? ''),
    ...(named.topicNames ?? []),
    ...(named.resources ?? []).map(({ resourceName }) => resourceName)
  ].filter(name => name !== '')
}
