/** Topics that other registries wrote, by hand from the documented format, taken over whole; and what ours writes, byte for byte. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBatch, encodeBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { openService } from '../../../apps/registry/test/service.ts'
import { openTestLog } from '../../../libs/registry/test/log.ts'

interface Line {
  readonly key: unknown
  readonly value: unknown
}

const linesOf = (name: string): Line[] =>
  readFileSync(join(import.meta.dirname, 'topics', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line)

const bytes = (value: unknown): Buffer | null => (value === null ? null : Buffer.from(JSON.stringify(value)))

async function openOn(lines: readonly Line[]) {
  const log = await openTestLog()
  for (const { key, value } of lines) {
    await log.append(encodeBatch({ records: [{ key: bytes(key), value: bytes(value) }], baseTimestampMs: 1_700_000_000_000 }))
  }
  return openService({ log })
}

describe.each(['confluent-8', 'confluent-5', 'karapace'])('a topic of %s', name => {
  test('is taken over with every ID, and goes on from there', async () => {
    const service = await openOn(linesOf(name))
    const answer = async (line: string, body?: unknown) => (await service.ask(line, body)).body
    expect(await answer('GET /subjects?subjectPrefix=')).toEqual(['money-value', 'orders-value'])
    expect(await answer('GET /subjects?deletedOnly=true')).toEqual(['carts-value'])
    expect(await answer('GET /subjects/carts-value/versions?deleted=true')).toEqual([1, 2])
    expect(await answer('GET /schemas/ids/2')).toMatchObject({
      references: [{ name: 'shop.Money', subject: 'money-value', version: 1 }]
    })
    expect(await answer('GET /schemas/ids/4')).toMatchObject({ schema: '"long"' })
    expect(await answer('GET /schemas/ids/9')).toMatchObject({ error_code: 40403 })
    expect(await answer('GET /config')).toMatchObject({ compatibilityLevel: 'FULL' })
    expect(await answer('GET /mode/orders-value')).toEqual({ mode: 'READONLY' })
    expect(await answer('GET /subjects/money-value/versions/1/referencedby')).toEqual([2])
    expect(await answer('POST /subjects/new-value/versions', { schema: '"double"' })).toMatchObject({ id: 10, version: 1 })
    await service.close()
  })
})

test('contexts, metadata and rules of a new one are there, too', async () => {
  const service = await openOn(linesOf('confluent-8'))
  expect((await service.ask('GET /contexts')).body).toEqual(['.', '.sales'])
  expect((await service.ask('GET /schemas/ids/1?subject=:.sales:')).body).toMatchObject({ schema: '"string"' })
  expect((await service.ask('GET /subjects/orders-value/versions/1')).body).toMatchObject({
    metadata: { properties: { owner: 'anna' }, sensitive: ['owner'] },
    ruleSet: { domainRules: [{ name: 'positive', expr: 'message.sum > 0' }] }
  })
  await service.close()
})

test('what ours writes is what Confluent writes, key by key and byte for byte', async () => {
  const service = await openService()
  await service.ask('PUT /config', { compatibility: 'NONE' })
  await service.ask('POST /subjects/s/versions', { schema: '"int"' })
  await service.ask('POST /subjects/:.c:s/versions', { schema: '"string"' })
  await service.ask('PUT /mode/:.c:', { mode: 'READONLY' })
  await service.ask('DELETE /subjects/s')
  await service.ask('PUT /mode/s', { mode: 'IMPORT' })
  await service.ask('DELETE /mode/s')
  const batches = await service.log.read(0, { bytesMax: 1 << 20 })
  const written = batches.flatMap(batch => decodeBatch(batch, 1 << 20)).map(({ key, value }) => `${key} ${value}`)
  expect(written).toEqual([
    '{"keytype":"CONFIG","subject":null,"magic":0} {"compatibilityLevel":"NONE"}',
    '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1} {"subject":"s","version":1,"id":1,"md5":"71JOobkecxc9k4reNsHbMg==","schema":"\\"int\\"","deleted":false}',
    '{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0} {"tenant":"default","context":".c"}',
    '{"keytype":"SCHEMA","subject":":.c:s","version":1,"magic":1} {"subject":":.c:s","version":1,"id":1,"md5":"CV1xzxJVa51eMwrVdbPfXQ==","schema":"\\"string\\"","deleted":false}',
    '{"keytype":"MODE","subject":":.c:","magic":0} {"subject":":.c:","mode":"READONLY"}',
    '{"keytype":"DELETE_SUBJECT","subject":"s","magic":0} {"subject":"s","version":1}',
    '{"keytype":"NOOP","magic":0} {"maxId":1}',
    '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1} null',
    '{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0} {"subject":"s"}',
    '{"keytype":"MODE","subject":"s","magic":0} {"subject":"s","mode":"IMPORT"}',
    '{"keytype":"MODE","subject":"s","magic":0} null'
  ])
  await service.close()
})
