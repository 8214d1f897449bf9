/** Topics that other registries wrote, by hand from the documented format, taken over whole; and what ours writes, byte for byte. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBatch, encodeBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { openService, type Service } from '../../../apps/registry/test/service.ts'
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

describe('a topic with all that can happen in one', () => {
  const questions: [what: string, line: string, answer: unknown][] = [
    ['a version rewritten as deleted is soft-deleted', 'GET /subjects/a/versions?deletedAsNegative=true', [-1, 2]],
    ['an ID may stand in several subjects', 'GET /schemas/ids/2/subjects', ['a', 'b']],
    ['a record that gives a known ID another text is passed over', 'GET /subjects/clash/versions', { error_code: 40401 }],
    ['... and changes nothing', 'GET /schemas/ids/2/schema', 'long'],
    ['a tombstone takes settings away', 'GET /config/a', { error_code: 40408 }],
    ['a tombstone takes a mode away', 'GET /mode/a', { error_code: 40409 }],
    ['an alias is one', 'GET /subjects/nick/versions', [2]],
    ['the watermark of a deleted subject is a version', 'GET /subjects/c/versions', [2]],
    ['... and the versions up to it are soft-deleted', 'GET /subjects/c/versions?deletedOnly=true', [1]],
    ['a cleared subject gives its ID back', 'GET /schemas/ids/5/schema', 'bytes'],
    ['... to the version that was imported', 'GET /subjects/old/versions?deleted=true', [7]],
    ['a tombstone takes a context away', 'GET /contexts', ['.']],
    ['what a later release may write is passed over', 'GET /subjects', ['a', 'b', 'c', 'old']],
    ['a hard-deleted schema is gone', 'GET /schemas/ids/30', { error_code: 40403 }],
    ['... and its ID is not given again', 'GET /schemas/ids/1?fetchMaxId=true', { schema: '"int"', maxId: 30, deleted: true }]
  ]

  test.each(questions)('%s', async (_what, line, answer) => {
    const service = await openOn(linesOf('confluent-7'))
    const { body } = await service.ask(line)
    if (typeof answer === 'object' && !Array.isArray(answer)) expect(body).toMatchObject(answer as object)
    else expect(body).toEqual(answer)
    await service.close()
  })

  test('and goes on from there', async () => {
    const service = await openOn(linesOf('confluent-7'))
    const { body } = await service.ask('POST /subjects/new/versions', { schema: '"null"' })
    expect(body).toMatchObject({ id: 31, version: 1 })
    expect((await service.ask('POST /subjects/clash/versions', { schema: '"string"' })).body).toMatchObject({
      id: 32,
      version: 1
    })
    await service.close()
  })
})

/** The MD5 of a content, by the documented order: text, references, metadata, rules; 1 before each of the last two, versions in four bytes. */
const md5 = (...parts: (string | Buffer)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest('base64')

test('references, metadata, rules, settings and a soft-deleted version are written as Confluent writes them', async () => {
  const service = await openService()
  const text = '{"type":"array","items":"F"}'
  const reference = { name: 'F', subject: 'money', version: 1 }
  const rule = {
    disabled: true,
    expr: 'x',
    type: 'CEL',
    params: { b: '2', a: '1' },
    tags: ['T', 'P'],
    mode: 'WRITE',
    kind: 'CONDITION',
    name: 'r'
  }
  await service.ask('POST /subjects/money/versions', { schema: '{"type":"fixed","size":8,"name":"F"}' })
  await service.ask('POST /subjects/bill/versions', {
    schema: text,
    references: [reference],
    metadata: { sensitive: ['z', 'a'], properties: { b: '1', a: '2' }, tags: { 'x.y': ['T', 'P'] } },
    ruleSet: { domainRules: [rule] }
  })
  await service.ask('PUT /config/bill', { compatibilityGroup: 'major', compatibility: 'full', normalize: true })
  await service.ask('DELETE /subjects/bill/versions/1')
  await service.ask('DELETE /subjects/bill/versions/1?permanent=true')
  const moneyText = '{"type":"fixed","name":"F","size":8}'
  const one = Buffer.of(1)
  const content =
    `"id":2,"md5":"${md5(text, 'F', 'money', Buffer.of(0, 0, 0, 1), one, 'x.y', 'P', 'T', 'a', '2', 'b', '1', 'a', 'z', one, 'r', 'CONDITION', 'WRITE', 'CEL', 'P', 'T', 'a', '1', 'b', '2', 'x', one)}",` +
    '"references":[{"name":"F","subject":"money","version":1}],' +
    '"metadata":{"tags":{"x.y":["P","T"]},"properties":{"a":"2","b":"1"},"sensitive":["a","z"]},' +
    '"ruleSet":{"domainRules":[{"name":"r","kind":"CONDITION","mode":"WRITE","type":"CEL","tags":["P","T"],"params":{"a":"1","b":"2"},"expr":"x","disabled":true}]},' +
    `"schema":${JSON.stringify(text)}`
  expect(await writtenBy(service)).toEqual([
    `{"keytype":"SCHEMA","subject":"money","version":1,"magic":1} {"subject":"money","version":1,"id":1,"md5":"${md5(moneyText)}","schema":${JSON.stringify(moneyText)},"deleted":false}`,
    `{"keytype":"SCHEMA","subject":"bill","version":1,"magic":1} {"subject":"bill","version":1,${content},"deleted":false}`,
    '{"keytype":"CONFIG","subject":"bill","magic":0} {"subject":"bill","normalize":true,"compatibilityLevel":"FULL","compatibilityGroup":"major"}',
    `{"keytype":"SCHEMA","subject":"bill","version":1,"magic":1} {"subject":"bill","version":1,${content},"deleted":true}`,
    // Ours alone: other registries pass over the value of a NOOP. It keeps the count of IDs when the topic is compacted.
    '{"keytype":"NOOP","magic":0} {"maxId":2}',
    '{"keytype":"SCHEMA","subject":"bill","version":1,"magic":1} null',
    '{"keytype":"CONFIG","subject":"bill","magic":0} null'
  ])
  await service.close()
})

test('what ours wrote, another of ours reads as it was', async () => {
  const first = await openService()
  await first.ask('PUT /config', { compatibility: 'NONE' })
  await first.ask('POST /subjects/s/versions', { schema: '"int"', metadata: { properties: { a: '1' } } })
  await first.ask('POST /subjects/s/versions', { schema: '"long"' })
  await first.ask('POST /subjects/:.c:s/versions', { schema: '"long"' })
  await first.ask('DELETE /subjects/s/versions/1')
  await first.ask('PUT /mode/s', { mode: 'READONLY' })
  const lines = (await writtenBy(first)).map(line => {
    const at = line.indexOf('} ') + 1
    return { key: JSON.parse(line.slice(0, at)), value: JSON.parse(line.slice(at)) } as Line
  })
  const second = await openOn(lines)
  for (const line of [
    'GET /schemas?subjectPrefix=:*:&deleted=true',
    'GET /subjects?deleted=true',
    'GET /config',
    'GET /mode/s',
    'GET /contexts'
  ]) {
    expect({ line, body: withoutTime((await second.ask(line)).body) }).toEqual({
      line,
      body: withoutTime((await first.ask(line)).body)
    })
  }
  await first.close()
  await second.close()
})

/** Bodies without when a version was written, which is the record's own time. */
const withoutTime = (body: unknown): unknown =>
  JSON.parse(JSON.stringify(body, (key, value) => (key === 'ts' ? undefined : value)))

/** Key and value of each record in the topic. */
async function writtenBy(service: Service): Promise<string[]> {
  const batches = await service.log.read(0, { bytesMax: 1 << 20 })
  return batches.flatMap(batch => decodeBatch(batch, 1 << 20)).map(({ key, value }) => `${key} ${value}`)
}

test('what ours writes is what Confluent writes, key by key and byte for byte', async () => {
  const service = await openService()
  await service.ask('PUT /config', { compatibility: 'NONE' })
  await service.ask('POST /subjects/s/versions', { schema: '"int"' })
  await service.ask('POST /subjects/:.c:s/versions', { schema: '"string"' })
  await service.ask('PUT /mode/:.c:', { mode: 'READONLY' })
  await service.ask('DELETE /subjects/s')
  await service.ask('PUT /mode/s', { mode: 'IMPORT' })
  await service.ask('DELETE /mode/s')
  expect(await writtenBy(service)).toEqual([
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
