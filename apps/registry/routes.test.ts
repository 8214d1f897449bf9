import { Value } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rewritePath } from './paths.ts'
import { registryRoutes } from './routes/all.ts'
import { compatibilityStories } from './test/compatibility-stories.ts'
import { contextStories } from './test/context-stories.ts'
import { listingStories } from './test/listing-stories.ts'
import { openService, type Service } from './test/service.ts'
import { settingsStories } from './test/settings-stories.ts'
import { stories } from './test/stories.ts'

const record = '{"type":"record","name":"R","namespace":"n","fields":[{"name":"id","type":"long"}]}'

let service: Service
const ask: Service['ask'] = (...request) => service.ask(...request)

beforeEach(async () => {
  service = await openService()
})
afterEach(() => service.close())

test.each([...stories, ...compatibilityStories, ...settingsStories, ...listingStories, ...contextStories])(
  '$name',
  async ({ steps }) => {
    for (const { ask: line, body, status = 200, answer } of steps) {
      const got = await ask(line, body)
      expect({ line, status: got.status, body: got.body }).toEqual({ line, status, body: answer })
      if (status === 200) expect(misfits(line, got.body), line).toEqual([])
      expect(got.type).toBe(status === 204 ? undefined : 'application/vnd.schemaregistry.v1+json')
    }
  }
)

test('a restart gives the same answers', async () => {
  await ask('PUT /config/s', { compatibility: 'NONE' })
  await ask('POST /subjects/s/versions', { schema: '"int"' })
  await ask('POST /subjects/s/versions', { schema: record })
  await ask('DELETE /subjects/s/versions/1')
  const lines = [
    'GET /subjects',
    'GET /subjects/s/versions?deletedAsNegative=true',
    'GET /subjects/s/versions/2',
    'GET /schemas/ids/1',
    'GET /schemas/ids/2',
    'GET /config/s',
    'GET /config'
  ]
  const before = await Promise.all(lines.map(line => ask(line)))
  const { log } = service
  await service.close()
  service = await openService({ log })
  expect(await Promise.all(lines.map(line => ask(line)))).toEqual(before)
})

/** Where an answer has not the shape that openapi.json promises. */
function misfits(line: string, answer: unknown): unknown[] {
  const [method, url = ''] = line.split(' ')
  const [path = ''] = rewritePath(url, service.registry).split('?')
  const segments = path.split('/')
  const { reply, sends } = registryRoutes.find(
    declared =>
      declared.method === method &&
      declared.path.split('/').length === segments.length &&
      declared.path.split('/').every((part, index) => part.startsWith(':') || part === segments[index])
  )!
  return sends === undefined ? [...Value.Errors(reply, answer)] : []
}

describe('what the service says of itself', () => {
  test('in the words of Confluent', async () => {
    expect(await ask('GET /v1/metadata/id')).toMatchObject({
      status: 200,
      body: { scope: { path: [], clusters: { 'kafka-cluster': 'assay', 'schema-registry-cluster': 'schema-registry' } } }
    })
    expect((await ask('GET /v1/metadata/version')).body).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    expect((await ask('GET /v1/metadata/deployment')).body).toEqual({ attributes: [] })
  })

  test('in the words of Karapace', async () => {
    await ask('POST /subjects/s/versions', { schema: '"int"' })
    const answer = await service.app.inject('/master_available')
    expect(answer.json()).toEqual({ master_available: true })
    expect(answer.headers['cache-control']).toBe('no-store, no-cache, must-revalidate')
    const { body } = await ask('GET /_health')
    expect(misfits('GET /_health', body)).toEqual([])
    expect(body).toMatchObject({
      healthy: true,
      status: {
        schema_registry_ready: true,
        schema_registry_startup_time_sec: expect.any(Number),
        schema_registry_reader_current_offset: 0,
        schema_registry_reader_highest_offset: 0,
        schema_registry_is_primary: true
      }
    })
  })

  test('HEAD answers like GET, without a body', async () => {
    await ask('POST /subjects/s/versions', { schema: '"int"' })
    const [head, get] = await Promise.all(
      (['HEAD', 'GET'] as const).map(method => service.app.inject({ method, url: '/subjects/s/versions/1' }))
    )
    expect([head!.statusCode, head!.headers['content-type']]).toEqual([200, get!.headers['content-type']])
    expect(head!.body).toBe('')
    expect(get!.body).not.toBe('')
    expect((await service.app.inject({ method: 'HEAD', url: '/subjects/none/versions' })).statusCode).toBe(404)
  })
})

test('a page out of many versions costs no more than the page', async () => {
  const versions = 20_000
  for (let n = 0; n < versions; n += 1000) {
    const registrations = Array.from({ length: 1000 }, (_none, index) =>
      service.registry.register(`s${n + index}`, { schema: '"int"' })
    )
    await Promise.all(registrations)
  }
  await ask('GET /schemas?limit=1')
  const started = performance.now()
  const { body } = await ask(`GET /schemas?latestOnly=true&subjectPrefix=:*:&offset=${versions - 5}&limit=1000`)
  expect((body as { subject: string }[]).map(({ subject }) => subject)).toEqual(['s9995', 's9996', 's9997', 's9998', 's9999'])
  expect(performance.now() - started).toBeLessThan(100)
  expect((await ask('GET /schemas')).body).toHaveLength(1000)
  expect((await ask('GET /schemas?limit=5000')).body).toHaveLength(1000)
})
