import { Value } from 'typebox/value'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { registryRoutes } from './routes/all.ts'
import { openService, type Service } from './test/service.ts'
import { stories } from './test/stories.ts'

const record = '{"type":"record","name":"R","namespace":"n","fields":[{"name":"id","type":"long"}]}'

let service: Service
const ask: Service['ask'] = (...request) => service.ask(...request)

beforeEach(async () => {
  service = await openService()
})
afterEach(() => service.close())

test.each(stories)('$name', async ({ steps }) => {
  for (const { ask: line, body, status = 200, answer } of steps) {
    const got = await ask(line, body)
    expect({ line, status: got.status, body: got.body }).toEqual({ line, status, body: answer })
    expect(got.type).toBe('application/vnd.schemaregistry.v1+json')
  }
})

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

test('every answer has the shape that openapi.json promises', async () => {
  await ask('PUT /config/s', { compatibility: 'NONE' })
  await ask('POST /subjects/s/versions', { schema: record, metadata: { properties: { a: 'b' } } })
  const examples: Record<string, [string, unknown?]> = {
    'GET /subjects/:subject/versions/:version': ['GET /subjects/s/versions/1'],
    'GET /schemas/ids/:id': ['GET /schemas/ids/1?subject=s&fetchMaxId=true'],
    'GET /schemas/ids/:id/versions': ['GET /schemas/ids/1/versions'],
    'POST /subjects/:subject': ['POST /subjects/s', { schema: record }],
    'POST /subjects/:subject/versions': ['POST /subjects/s/versions', { schema: '"int"' }],
    'POST /compatibility/subjects/:subject/versions/:version': [
      'POST /compatibility/subjects/s/versions/1?verbose=true',
      { schema: '"int"' }
    ],
    'GET /health': ['GET /health'],
    'GET /config/:subject': ['GET /config/s']
  }
  for (const [name, [line, body]] of Object.entries(examples)) {
    const declared = registryRoutes.find(({ method, path }) => `${method} ${path}` === name)
    const { status, body: answer } = await ask(line, body)
    expect(status, line).toBe(200)
    expect([...Value.Errors(declared!.reply, answer)], line).toEqual([])
  }
})
