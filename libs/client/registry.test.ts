import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AssayError, isAssayError } from '@assay/errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openService, type Service } from '../../apps/registry/test/service.ts'
import { type RegistryClient, refusedWith, registryClient, type SchemasOptions } from './registry.ts'

const order = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}'
const orderWithNote =
  '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":"string"}]}'

describe('against the registry service', () => {
  let service: Service
  let client: RegistryClient

  beforeAll(async () => {
    service = await openService()
    client = registryClient({ url: await service.app.listen({ host: '127.0.0.1', port: 0 }) })
  })
  afterAll(() => service.close())

  test('a registered schema is found by subject, by version, by text and by ID', async () => {
    const schemaId = await client.register('orders-value', { schema: order })
    expect(await client.register('orders-value', { schema: order })).toBe(schemaId)
    const version = { subject: 'orders-value', version: 1, schemaId, schema: order }
    expect(await client.latest('orders-value')).toMatchObject({ ...version, deleted: false })
    expect(await client.lookUp('orders-value', { schema: order })).toMatchObject(version)
    expect(await client.schemaById(schemaId)).toEqual({ schema: order })
    expect(await client.versionText('orders-value', 1)).toBe(order)
    expect(await client.textById(schemaId)).toBe(order)
    const { guid } = await client.latest('orders-value')
    expect(await client.identifiedSchema(schemaId, { fetchMaxId: true })).toMatchObject({ guid, maxSchemaId: schemaId })
    expect(await client.schemaByGuid(guid!)).toMatchObject({ schema: order })
    expect(await client.idsByGuid(guid!)).toEqual([{ context: '.', schemaId }])
    expect(await client.subjectsById(schemaId)).toEqual(['orders-value'])
    expect(await client.versionsById(schemaId)).toEqual([{ subject: 'orders-value', version: 1 }])
    expect(await client.subjects()).toContain('orders-value')
    expect(await client.subjects({ prefix: 'nothing' })).toEqual([])
    expect(await client.versions('orders-value')).toEqual([1])
  })

  test('a parsed schema has what its references define, and comes as one object however often it is asked for', async () => {
    await client.register('money-value', { schema: '{"type":"fixed","name":"Money","namespace":"shop","size":8}' })
    const references = [{ name: 'shop.Money', subject: 'money-value', version: 1 }]
    const schema = '{"type":"record","name":"Bill","namespace":"shop","fields":[{"name":"sum","type":"Money"}]}'
    const schemaId = await client.register('bills-value', { schema, references })
    expect(await client.schemaById(schemaId)).toEqual({ schema, references })
    const parsed = await client.parsedById(schemaId)
    expect(parsed).toMatchObject({
      kind: 'record',
      fields: [{ name: 'sum', type: { kind: 'fixed', name: 'shop.Money', size: 8 } }]
    })
    expect(await client.parsedById(schemaId)).toBe(parsed)
  })

  test('what is not there is undefined for a look-up and an error code elsewhere', async () => {
    expect(await client.lookUp('nobody-value', { schema: order })).toBeUndefined()
    expect(await client.lookUp('orders-value', { schema: '"string"' })).toBeUndefined()
    const failure = await client.latest('nobody-value').catch((error: unknown) => error)
    expect(refusedWith(failure, 40401)).toBe(true)
    expect(failure).toMatchObject({ facts: { reason: "Subject 'nobody-value' not found." } })
    expect(refusedWith(await client.schemaById(4711).catch((error: unknown) => error), 40403)).toBe(true)
  })

  test('an incompatible schema is told apart before registration, with reasons, and refused at it', async () => {
    expect(await client.compatibility('orders-value', { schema: order })).toMatchObject({ isCompatible: true })
    const verdict = await client.compatibility('orders-value', { schema: orderWithNote }, { version: 'latest', verbose: true })
    expect(verdict.isCompatible).toBe(false)
    expect(verdict.messages.join()).toContain('READER_FIELD_MISSING_DEFAULT_VALUE')
    expect(verdict.findings[0]).toMatchObject({ version: 1, direction: 'BACKWARD' })
    const moved = order.replace('"shop"', '"market"')
    const { isCompatible, warnings } = await client.compatibility('orders-value', { schema: moved }, { verbose: true })
    expect(isCompatible).toBe(true)
    expect(warnings[0]).toMatchObject({ version: 1, direction: 'BACKWARD', reason: expect.any(String) })
    const refused = await client.register('orders-value', { schema: orderWithNote }).catch((error: unknown) => error)
    expect(refusedWith(refused, 40901)).toBe(true)
  })

  test('the compatibility level of a subject is the general one until it is set', async () => {
    expect(await client.compatibilityLevel('orders-value')).toBe('BACKWARD')
    await client.setCompatibilityLevel('NONE', 'orders-value')
    expect(await client.compatibilityLevel('orders-value')).toBe('NONE')
    expect(await client.compatibilityLevel()).toBe('BACKWARD')
    expect(await client.register('orders-value', { schema: orderWithNote })).toBeGreaterThan(1)
  })

  test('deleting is soft first, then permanent', async () => {
    await client.register('gone-value', { schema: '"int"' })
    await client.register('gone-value', { schema: '"long"' })
    expect(await client.deleteVersion('gone-value', 1)).toBe(1)
    expect(await client.versions('gone-value')).toEqual([2])
    expect(await client.deleteSubject('gone-value')).toEqual([2])
    expect(await client.deleteSubject('gone-value', { permanent: true })).toEqual([1, 2])
  })

  test('all versions are read in bulk, page by page', async () => {
    await client.register('bulk-a', { schema: '"int"' })
    await client.register('bulk-a', { schema: '"long"' })
    await client.register('bulk-b', { schema: '"int"' })
    await client.deleteVersion('bulk-a', 1)
    const listed = async (options: SchemasOptions): Promise<string[]> => {
      const found: string[] = []
      for await (const { subject, version } of client.schemas({ prefix: 'bulk', ...options })) found.push(`${subject}@${version}`)
      return found
    }
    expect(await listed({ pageSize: 1 })).toEqual(['bulk-a@2', 'bulk-b@1'])
    expect(await listed({ deleted: true, pageSize: 2 })).toEqual(['bulk-a@1', 'bulk-a@2', 'bulk-b@1'])
    expect(await listed({ latestOnly: true })).toEqual(['bulk-a@2', 'bulk-b@1'])
    expect(await listed({ deleted: true, offset: 1, limit: 1 })).toEqual(['bulk-a@2'])
    expect(await client.versions('bulk-a', { deletedOnly: true })).toEqual([1])
    expect(await client.subjects({ prefix: 'bulk', limit: 1, offset: 1 })).toEqual(['bulk-b'])
  })

  test('metadata and rules are kept, found and edited', async () => {
    const metadata = { properties: { major: '1' } }
    const ruleSet = { domainRules: [{ name: 'positive', kind: 'CONDITION', type: 'CEL', mode: 'WRITE', expr: 'true' }] }
    const { version } = await client.registerVersion('contract-value', { schema: order, metadata, ruleSet })
    expect(version).toBe(1)
    expect(await client.latestWith('contract-value', { major: '1' })).toMatchObject({ version: 1, metadata, ruleSet })
    const tagged = await client.editTags('contract-value', 1, {
      tagsToAdd: [{ entityPath: 'shop.Order.id', entityType: 'sr_field', tags: ['PII'] }]
    })
    expect(tagged).toMatchObject({ version: 2 })
    const { schema, schemaTags, ...kept } = await client.version('contract-value', 2, { findTags: 'PII' })
    expect(schema).toContain('"confluent:tags":["PII"]')
    expect(schemaTags).toEqual([{ entityPath: 'shop.Order.id', entityType: 'sr_field', tags: ['PII'] }])
    expect(kept).toMatchObject({ metadata, ruleSet })
    expect(await client.referencedBy('contract-value', 1)).toEqual([])
  })

  test('settings and modes are set, shown and taken away; IMPORT takes IDs and versions', async () => {
    expect(await client.setConfig({ compatibilityLevel: 'FULL', compatibilityGroup: 'major' }, 'set-value')).toMatchObject({
      compatibilityLevel: 'FULL'
    })
    expect(await client.config('set-value')).toMatchObject({ compatibilityLevel: 'FULL', compatibilityGroup: 'major' })
    await client.deleteConfig('set-value')
    expect(refusedWith(await client.config('set-value').catch((error: unknown) => error), 40408)).toBe(true)
    expect(await client.config('set-value', { defaultToGlobal: true })).toMatchObject({ compatibilityLevel: 'BACKWARD' })

    expect(await client.setMode('IMPORT', 'kept-value')).toBe('IMPORT')
    expect(await client.registerVersion('kept-value', { schema: order }, { schemaId: 4711, version: 5 })).toMatchObject({
      schemaId: 4711
    })
    expect(await client.deleteMode('kept-value')).toBe('IMPORT')
    expect(await client.mode('kept-value', { defaultToGlobal: true })).toBe('READWRITE')
    expect(await client.version('kept-value', 5)).toMatchObject({ schemaId: 4711 })
  })

  test('contexts have IDs of their own', async () => {
    await client.register(':.sales:money', { schema: '{"type":"fixed","name":"Money","namespace":"shop","size":8}' })
    const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
    const schema = '{"type":"record","name":"Bill","namespace":"shop","fields":[{"name":"sum","type":"Money"}]}'
    expect(await client.register(':.sales:bills', { schema, references })).toBe(2)
    expect(await client.parsedVersion(':.sales:bills', 1)).toMatchObject({ fields: [{ type: { name: 'shop.Money', size: 8 } }] })
    expect(await client.identifiedSchema(2, { subject: ':.sales:' })).toMatchObject({ schema })
    expect(await client.contexts()).toEqual(['.', '.sales'])
    await client.deleteSubject(':.sales:bills')
    await client.deleteSubject(':.sales:money')
    await client.deleteSubject(':.sales:bills', { permanent: true })
    await client.deleteSubject(':.sales:money', { permanent: true })
    await client.deleteContext('.sales')
    expect(await client.contexts()).toEqual(['.'])
  })

  test('the server says which it is', async () => {
    expect((await client.serverVersion()).version).toMatch(/^\d/)
    expect(await client.clusterId()).not.toBe('')
    expect(await client.schemaTypes()).toEqual(['AVRO'])
  })

  test('a subject with a slash, a space and a percent sign arrives as it is', async () => {
    const subject = 'a/b %2F-value'
    await client.register(subject, { schema: '"int"' })
    expect(await client.versions(subject)).toEqual([1])
  })
})

describe('against servers that fail', () => {
  const servers: Server[] = []
  const listen = async (status: number, body: string | undefined): Promise<string> => {
    const server = createServer((request, response) => {
      if (body === undefined) return
      if (body === 'echo') response.end(JSON.stringify([request.headers.authorization ?? 'none']))
      else response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    })
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const failureOf = async (url: string): Promise<AssayError> => {
    const failure = await registryClient({ url, timeoutMs: 200 })
      .subjects()
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AssayError)
    return failure as AssayError
  }
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  })

  test('nobody listens', async () => {
    const url = await listen(200, '[]')
    await new Promise(resolve => servers.pop()!.close(resolve))
    expect((await failureOf(url)).message).toBe(`The registry at ${url} cannot be reached: ECONNREFUSED`)
  })

  test('no answer comes in time', async () => {
    const failure = await failureOf(await listen(200, undefined))
    expect(isAssayError(failure, 'UNREACHABLE')).toBe(true)
    expect(failure.message).toContain('no answer within 200 ms')
  })

  test('a connection that breaks off: what only reads is asked once more, what writes is not', async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.method!)
      if (asked.length % 2 === 1) request.socket.destroy()
      else response.end('[]')
    })
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const client = registryClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    expect(await client.subjects()).toEqual([])
    const failure: unknown = await client.register('orders-value', { schema: order }).catch((error: unknown) => error)
    expect(isAssayError(failure, 'UNREACHABLE')).toBe(true)
    expect(asked).toEqual(['GET', 'GET', 'POST'])
  })

  const cases = [
    { name: 'an error page without a code', status: 502, body: 'Bad Gateway', says: 'The registry answered 502: Bad Gateway' },
    { name: 'an answer that is not JSON', status: 200, body: '<html>', says: 'The registry answered 200: the body is not JSON' },
    {
      name: 'an answer of another shape',
      status: 200,
      body: '{}',
      says: 'The registry answered 200: the answer is not a list of texts'
    }
  ]
  test.each(cases)('$name', async ({ status, body, says }) => {
    expect((await failureOf(await listen(status, body))).message).toBe(says)
  })

  test('credentials go into the header and stay out of errors', async () => {
    const url = new URL(await listen(200, 'echo'))
    expect(await registryClient({ url: url.href, auth: { bearer: 't' } }).subjects()).toEqual(['Bearer t'])
    url.username = 'ann'
    url.password = 's3cret'
    expect(await registryClient({ url: url.href }).subjects()).toEqual([`Basic ${Buffer.from('ann:s3cret').toString('base64')}`])
    expect((await failureOf('http://ann:s3cret@127.0.0.1:1')).message).not.toContain('s3cret')
  })

  test('an address that is none is refused before anything is sent', () => {
    expect(() => registryClient({ url: 'localhost:8081' })).toThrow('expected an address such as http://localhost:8081')
  })
})
