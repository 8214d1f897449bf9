import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from '../../../apps/registry/test/service.ts'

/** Rows of rows.ts that need headers; table.test.ts counts them. */
const V1 = 'application/vnd.schemaregistry.v1+json'
const VENDOR = 'application/vnd.schemaregistry+json'
const JSON_TYPE = 'application/json'

let service: Service
beforeAll(async () => {
  service = await openService()
})
afterAll(() => service.close())

test.each<[row: string, accept: string | undefined, type: string]>([
  ['vendor type preferred', undefined, V1],
  ['vendor type preferred', '*/*', V1],
  ['vendor type preferred', 'application/*', V1],
  ['application/json when asked, q-values apply', JSON_TYPE, JSON_TYPE],
  ['application/json when asked, q-values apply', `${V1};q=0.5, ${JSON_TYPE};q=0.9`, JSON_TYPE],
  ['application/json when asked, q-values apply', `${JSON_TYPE};q=0.5, ${VENDOR}`, VENDOR]
])('%s: %s', async (_row, accept, type) => {
  const answer = await service.ask('GET /subjects', undefined, accept === undefined ? {} : { accept })
  expect([answer.status, answer.type]).toEqual([200, type])
})

test.each(['text/html', 'application/xml', `${V1};q=0, text/plain`])('406: %s', async accept => {
  const answer = await service.ask('GET /subjects', undefined, { accept })
  expect(answer).toMatchObject({ status: 406, body: { error_code: 406 } })
})

test.each([V1, VENDOR, JSON_TYPE, 'application/octet-stream', `${JSON_TYPE}; charset=utf-8`])('request types: %s', async type => {
  const answer = await service.ask('POST /subjects/s/versions', { schema: '"int"' }, { 'content-type': type })
  expect(answer.status).toBe(200)
})

test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])('415: %s', async type => {
  const answer = await service.ask('POST /subjects/s/versions', { schema: '"int"' }, { 'content-type': type })
  expect(answer).toMatchObject({ status: 415, body: { error_code: 415 } })
})
