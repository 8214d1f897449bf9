/** What is counted and written down of the Kafka door: log-ins, denials and changes, none of them so often that they drown the rest. */
import { createTopics, metadata } from '@assay/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rawClient } from '../../raw-client.ts'
import { logInPlain, logInScram, passwordOf, type SecuredServer, securedServer } from './secured-server.ts'

let secured: SecuredServer
beforeAll(async () => {
  secured = await securedServer({ users: ['anna', 'bert'], superUsers: ['anna'] })
})
afterAll(() => secured.close())

const ask = (path: string): Promise<Response> =>
  fetch(secured.server.http + path, {
    headers: { authorization: `Basic ${Buffer.from(`anna:${passwordOf('anna')}`).toString('base64')}` }
  })

async function audited(): Promise<string[]> {
  const { events } = (await (await ask('/v1/topics/_assay.audit/events?partition=0')).json()) as {
    events: {
      value: { principal: string; request: string; outcome: string; resourceName: string | null; errorCode: number | null }
    }[]
  }
  return events
    .map(({ value }) => value)
    .filter(({ request }) => !request.includes('/'))
    .map(({ principal, request, outcome, resourceName, errorCode }) =>
      [principal, request, outcome, resourceName, errorCode].join(' ')
    )
}

test('failed log-ins, denials and changes are written down, the same only once', async () => {
  for (let count = 0; count < 3; count++) {
    const client = await rawClient(secured.server.kafka)
    await logInPlain(client, 'bert', 'guess')
    await client.closed
  }
  const [anna, bert] = await Promise.all([rawClient(secured.server.kafka), rawClient(secured.server.kafka)])
  await logInScram(anna, 'SCRAM-SHA-256', 'anna')
  await logInPlain(bert, 'bert')
  const topic = { name: 'made', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const create = { topics: [topic], timeoutMs: 1000, validateOnly: false }
  for (let count = 0; count < 3; count++) expect((await bert.ask(createTopics, 7, create)).topics[0]!.errorCode).toBe(29)
  expect((await anna.ask(createTopics, 7, create)).topics[0]!.errorCode).toBe(0)
  // Asking what there is changes nothing.
  await anna.ask(metadata, 9, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false
  })
  await expect
    .poll(audited, { timeout: 10_000 })
    .toEqual([
      'User:ANONYMOUS SaslAuthenticate PLAIN FAILED  58',
      'User:bert CreateTopics DENIED made 29',
      'User:anna CreateTopics ALLOWED made '
    ])
  const metrics = await (await ask('/metrics')).text()
  expect(metrics).toContain('assay_kafka_log_ins_total{mechanism="PLAIN",outcome="failed"} 3')
  expect(metrics).toContain('assay_kafka_log_ins_total{mechanism="SCRAM-SHA-256",outcome="right"} 1')
  expect(metrics).toContain('assay_kafka_connections 2')
  anna.close()
  bert.close()
})
