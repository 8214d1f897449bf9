/** What each method sends, and what it makes of the answer, beside a server that answers what it is told to. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegistryClient, registryClient } from './registry.ts'

let server: Server
let client: RegistryClient
let answer: unknown
let asked: { line: string; body: unknown } | undefined

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += String(chunk)
    })
    request.on('end', () => {
      asked = { line: `${request.method} ${request.url}`, body: body === '' ? undefined : JSON.parse(body) }
      response.writeHead(answer === undefined ? 204 : 200).end(answer === undefined ? '' : JSON.stringify(answer))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  client = registryClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const stored = { subject: 's', version: 2, id: 7, guid: 'g', schemaType: 'AVRO', schema: '"int"', ts: 5, deleted: false }
const version = { subject: 's', version: 2, schemaId: 7, guid: 'g', schema: '"int"', timestampMs: 5, deleted: false }
const metadata = { properties: { owner: 'shop' } }
const ruleSet = { domainRules: [{ name: 'r', type: 'CEL', mode: 'WRITE' }] }
const text = { schema: '"int"', references: [{ name: 'n', subject: 'r', version: 1 }], metadata, ruleSet }
const full = {
  alias: 'a',
  normalize: true,
  compatibilityLevel: 'FULL' as const,
  compatibilityGroup: 'major',
  defaultMetadata: metadata
}

interface Row {
  readonly call: () => Promise<unknown>
  readonly line: string
  readonly body?: unknown
  /** What the server answers. */
  readonly given: unknown
  /** What the method returns; what was given when left out. */
  readonly returns?: unknown
}

const rows: Record<string, Row> = {
  subjects: {
    call: () => client.subjects({ prefix: ':*:', deleted: true, deletedOnly: true, offset: 1, limit: 2 }),
    line: 'GET /subjects?subjectPrefix=%3A*%3A&deleted=true&deletedOnly=true&offset=1&limit=2',
    given: ['s']
  },
  versions: { call: () => client.versions(':.c:a/b'), line: 'GET /subjects/%3A.c%3Aa%2Fb/versions', given: [1, 2] },
  version: {
    call: () => client.version('s', 'latest', { deleted: true, format: 'resolved', referenceFormat: 'default' }),
    line: 'GET /subjects/s/versions/latest?deleted=true&format=resolved&referenceFormat=default',
    given: stored,
    returns: version
  },
  'a version that is not Avro': {
    call: () => client.version('s', 2),
    line: 'GET /subjects/s/versions/2',
    given: { ...stored, schemaType: 'PROTOBUF', ...text },
    returns: { ...version, schemaType: 'PROTOBUF', ...text }
  },
  latestWith: {
    call: () => client.latestWith('s', { owner: 'shop', tier: '1' }, { deleted: true }),
    line: 'GET /subjects/s/metadata?key=owner&key=tier&value=shop&value=1&deleted=true',
    given: stored,
    returns: version
  },
  versionText: {
    call: () => client.versionText('s', 2, { deleted: true }),
    line: 'GET /subjects/s/versions/2/schema?deleted=true',
    given: { type: 'int' },
    returns: '{"type":"int"}'
  },
  referencedBy: {
    call: () => client.referencedBy('s', 2, { deleted: true, limit: 5 }),
    line: 'GET /subjects/s/versions/2/referencedby?deleted=true&limit=5',
    given: [3]
  },
  register: {
    call: () => client.register('s', { schema: '"int"' }),
    line: 'POST /subjects/s/versions',
    body: { schema: '"int"' },
    given: { id: 7 },
    returns: 7
  },
  registerVersion: {
    call: () =>
      client.registerVersion('s', { ...text, schemaType: 'JSON' }, { normalize: true, force: true, schemaId: 7, version: 2 }),
    line: 'POST /subjects/s/versions?normalize=true&force=true',
    body: { ...text, schemaType: 'JSON', id: 7, version: 2 },
    given: { id: 7, version: 2, guid: 'g' },
    returns: { schemaId: 7, version: 2, guid: 'g' }
  },
  lookUp: {
    call: () => client.lookUp('s', text, { normalize: true, deleted: true, format: 'resolved' }),
    line: 'POST /subjects/s?normalize=true&deleted=true&format=resolved',
    body: text,
    given: stored,
    returns: version
  },
  editTags: {
    call: () =>
      client.editTags('s', 2, {
        newVersion: 3,
        tagsToAdd: [{ entityPath: 'R.f', entityType: 'sr_field', tags: ['PII'] }],
        rulesToMerge: ruleSet,
        rulesToRemove: ['old']
      }),
    line: 'POST /subjects/s/versions/2/tags',
    body: {
      newVersion: 3,
      rulesToMerge: ruleSet,
      rulesToRemove: ['old'],
      tagsToAdd: [{ schemaEntity: { entityPath: 'R.f', entityType: 'sr_field' }, tags: ['PII'] }]
    },
    given: { id: 8, version: 3, guid: 'h' },
    returns: { schemaId: 8, version: 3, guid: 'h' }
  },
  deleteSubject: {
    call: () => client.deleteSubject('s', { permanent: true }),
    line: 'DELETE /subjects/s?permanent=true',
    given: [1]
  },
  deleteVersion: { call: () => client.deleteVersion('s', 2), line: 'DELETE /subjects/s/versions/2', given: 2 },
  schemaTypes: { call: () => client.schemaTypes(), line: 'GET /schemas/types', given: ['AVRO'] },
  identifiedSchema: {
    call: () => client.identifiedSchema(7, { subject: ':.c:', format: 'resolved', fetchMaxId: true, findTags: 'PII' }),
    line: 'GET /schemas/ids/7?subject=%3A.c%3A&fetchMaxId=true&format=resolved&findTags=PII',
    given: {
      schema: '"int"',
      maxId: 9,
      guid: 'g',
      schemaTags: [{ schemaEntity: { entityPath: 'R.f', entityType: 'sr_field' }, tags: ['PII'] }]
    },
    returns: {
      schema: '"int"',
      maxSchemaId: 9,
      guid: 'g',
      schemaTags: [{ entityPath: 'R.f', entityType: 'sr_field', tags: ['PII'] }]
    }
  },
  textById: {
    call: () => client.textById(7, { subject: 's' }),
    line: 'GET /schemas/ids/7/schema?subject=s',
    given: 'int',
    returns: '"int"'
  },
  subjectsById: {
    call: () => client.subjectsById(7, { deleted: true }),
    line: 'GET /schemas/ids/7/subjects?deleted=true',
    given: ['s']
  },
  versionsById: {
    call: () => client.versionsById(7, { subject: 's', offset: 1 }),
    line: 'GET /schemas/ids/7/versions?subject=s&offset=1',
    given: [{ subject: 's', version: 2 }]
  },
  schemaByGuid: {
    call: () => client.schemaByGuid('g', { format: 'resolved' }),
    line: 'GET /schemas/guids/g?format=resolved',
    given: { schema: '"int"', guid: 'g' }
  },
  idsByGuid: {
    call: () => client.idsByGuid('g'),
    line: 'GET /schemas/guids/g/ids',
    given: [{ context: '.', id: 7 }],
    returns: [{ context: '.', schemaId: 7 }]
  },
  compatibility: {
    call: () => client.compatibility('s', text, { version: 2, verbose: true, normalize: true }),
    line: 'POST /compatibility/subjects/s/versions/2?verbose=true&normalize=true',
    body: text,
    given: { is_compatible: false, messages: ['m'] },
    returns: { isCompatible: false, messages: ['m'], findings: [], warnings: [] }
  },
  config: {
    call: () => client.config('s', { defaultToGlobal: true }),
    line: 'GET /config/s?defaultToGlobal=true',
    given: { ...full, unknown: 1 },
    returns: full
  },
  setConfig: {
    call: () => client.setConfig(full, 's'),
    line: 'PUT /config/s',
    body: { alias: 'a', normalize: true, compatibility: 'FULL', compatibilityGroup: 'major', defaultMetadata: metadata },
    given: { compatibility: 'full' },
    returns: { compatibilityLevel: 'FULL' }
  },
  deleteConfig: { call: () => client.deleteConfig(), line: 'DELETE /config', given: { compatibilityLevel: 'NONE' } },
  mode: {
    call: () => client.mode('s', { defaultToGlobal: true }),
    line: 'GET /mode/s?defaultToGlobal=true',
    given: { mode: 'IMPORT' },
    returns: 'IMPORT'
  },
  setMode: {
    call: () => client.setMode('IMPORT', undefined, { force: true }),
    line: 'PUT /mode?force=true',
    body: { mode: 'IMPORT' },
    given: { mode: 'IMPORT' },
    returns: 'IMPORT'
  },
  deleteMode: {
    call: () => client.deleteMode(':.c:', { recursive: true }),
    line: 'DELETE /mode/%3A.c%3A?recursive=true',
    given: { mode: 'READONLY' },
    returns: 'READONLY'
  },
  contexts: {
    call: () => client.contexts({ prefix: '.s', limit: 3 }),
    line: 'GET /contexts?contextPrefix=.s&limit=3',
    given: ['.']
  },
  deleteContext: {
    call: () => client.deleteContext('.sales'),
    line: 'DELETE /contexts/.sales',
    given: undefined,
    returns: undefined
  },
  serverVersion: {
    call: () => client.serverVersion(),
    line: 'GET /v1/metadata/version',
    given: { version: '1.2', commitId: 'c' },
    returns: { version: '1.2', commitId: 'c' }
  },
  clusterId: {
    call: () => client.clusterId(),
    line: 'GET /v1/metadata/id',
    given: { scope: { path: [], clusters: { 'kafka-cluster': 'x' } } },
    returns: 'x'
  }
}

test.each(Object.entries(rows))('%s', async (_name, { call, line, body, given, ...row }) => {
  answer = given
  expect(await call()).toEqual('returns' in row ? row.returns : given)
  expect(asked).toEqual({ line, body })
})

test('schemas are asked for page by page', async () => {
  answer = [stored]
  const pages = client.schemas({ prefix: 'a', deleted: true, latestOnly: true, pageSize: 2 })
  expect(await pages.next()).toEqual({ value: version, done: false })
  expect(asked!.line).toBe('GET /schemas?subjectPrefix=a&deleted=true&latestOnly=true&offset=0&limit=2')
  answer = []
  expect(await pages.next()).toEqual({ value: undefined, done: true })
  expect(asked!.line).toContain('offset=1&limit=2')
})
