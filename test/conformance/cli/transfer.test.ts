/** assay export and import as a user runs them: from one server into another, by REST and by topic. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

let from: Served
let to: Served
const source = commandLine(() => from, { ownProcess: false })
const target = commandLine(() => to, { ownProcess: false })

async function ask(server: Served, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${server.http}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) })
  })
  return answer.json()
}

const register = async (subject: string, body: object): Promise<void> =>
  expect(await ask(from, 'POST', `/subjects/${encodeURIComponent(subject)}/versions`, body)).toHaveProperty('id')

/** All but the time of writing. */
async function everything(server: Served): Promise<unknown> {
  const versions = (await ask(server, 'GET', '/schemas?deleted=true&subjectPrefix=:*:')) as { ts?: number }[]
  return versions.map(({ ts: _, ...version }) => version)
}

const record = (name: string, type: unknown): string =>
  JSON.stringify({ type: 'record', name, namespace: 'shop', fields: [{ name: 'field', type }] })

beforeAll(async () => {
  ;[from, to] = await Promise.all([serve(), serve()])
  await register('shop.Money', { schema: '{"type":"fixed","name":"Money","namespace":"shop","size":8}' })
  await register('bills-value', {
    schema: record('Bill', 'Money'),
    references: [{ name: 'shop.Money', subject: 'shop.Money', version: 1 }],
    metadata: { properties: { owner: 'shop' }, tags: { field: ['PII'] } },
    ruleSet: { domainRules: [{ name: 'positive', kind: 'CONDITION', type: 'CEL', mode: 'WRITE', expr: 'true' }] }
  })
  await register('orders-value', { schema: record('Order', 'int') })
  await register('orders-value', { schema: record('Order', 'long') })
  await register('orders-value', { schema: record('Order', 'double') })
  await ask(from, 'DELETE', '/subjects/orders-value/versions/2')
  await register('copies-value', { schema: record('Order', 'int') })
  await register('gone-value', { schema: record('Gone', 'int') })
  await ask(from, 'DELETE', '/subjects/gone-value')
  // IDs with holes.
  await register('lost-value', { schema: record('Lost', 'int') })
  await ask(from, 'DELETE', '/subjects/lost-value')
  await ask(from, 'DELETE', '/subjects/lost-value?permanent=true')
  await register('late-value', { schema: record('Late', 'int') })
  await register(':.sales:orders-value', { schema: record('Sold', 'int') })
  await ask(from, 'PUT', '/config/orders-value', { compatibility: 'FULL', normalize: true })
  await ask(from, 'PUT', '/config', { compatibility: 'FORWARD' })
  await ask(from, 'PUT', '/mode/late-value', { mode: 'READONLY' })
})

afterAll(async () => {
  expect(await Promise.all([from.stop(), to.stop()])).toEqual([0, 0])
})

describe('export', () => {
  test('writes records as the topic holds them, by REST and by topic the same', async () => {
    expect(await source.json(['export', '--deleted', '-f', 'rest.jsonl'])).toMatchObject({ file: 'rest.jsonl' })
    await source.json(['export', '--deleted', '--topic', '_schemas', '-f', 'topic.jsonl'])
    const [rest, topic] = ['rest.jsonl', 'topic.jsonl'].map(name =>
      readFileSync(join(source.directory, name), 'utf8').split('\n')
    )
    // The registry answers a mode where none was set; its topic has no record of it.
    const unset = '{"key":{"keytype":"MODE","subject":null,"magic":0},"value":{"mode":"READWRITE"}}'
    expect(rest!.filter(line => line !== unset)).toEqual(topic)
    expect(rest).toContain(
      '{"key":{"keytype":"CONFIG","subject":"orders-value","magic":0},"value":{"subject":"orders-value","normalize":true,"compatibilityLevel":"FULL"}}'
    )
    const money = rest!.find(line => line.includes('"subject":"shop.Money","version":1,"magic":1'))!
    expect(money).toMatch(
      /^\{"key":\{"keytype":"SCHEMA","subject":"shop\.Money","version":1,"magic":1\},"value":\{"subject":"shop\.Money","version":1,"id":\d+,"md5":"[^"]{24}","schema":".*","deleted":false\}\}$/
    )
    expect(rest!.indexOf(money)).toBeLessThan(rest!.findIndex(line => line.includes('"bills-value"')))
  })

  test('leaves soft-deleted versions out unless they are wanted, and takes one prefix', async () => {
    const { out } = await source.run(['export', '--subject-prefix', 'orders'])
    const records = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { key: { keytype: string; subject: string; version?: number } })
    expect(records.map(({ key }) => `${key.keytype} ${key.subject} ${key.version}`)).toEqual([
      'SCHEMA orders-value 1',
      'SCHEMA orders-value 3',
      'CONFIG orders-value undefined'
    ])
  })

  test.each<[string, string[], number, RegExp]>([
    ['a topic that is not there', ['--topic', 'nowhere'], 1, /Topic 'nowhere' not found/],
    ['no broker there', ['--topic', '_schemas', '--bootstrap', '127.0.0.1:1'], 3, /cannot be reached/],
    ['no registry there', ['--registry', 'http://127.0.0.1:1'], 3, /cannot be reached/],
    ['a folder that is not there', ['-f', 'none/file.jsonl'], 2, /none\/file\.jsonl/]
  ])('%s', async (_name, args, code, says) => {
    const ran = await source.run(['export', ...args])
    expect(ran.err).toMatch(says)
    expect(ran.code).toBe(code)
  })
})

test('what another registry wrote is taken over by an empty one, in old and new forms, with every ID', async () => {
  const third = await serve()
  const { json, run, file } = commandLine(() => third, { ownProcess: false })
  const text = (name: string, type: string): string => JSON.stringify(record(name, type))
  const dump = [
    '{"key":{"keytype":"NOOP","magic":0},"value":null}',
    `{"key":{"keytype":"SCHEMA","subject":"a-value","version":1,"magic":1},"value":{"subject":"a-value","version":1,"id":1,"schema":${text('A', 'int')},"deleted":false}}`,
    `{"key":{"keytype":"SCHEMA","subject":"a-value","version":2,"magic":1},"value":{"subject":"a-value","version":2,"id":2,"md5":"x","schemaType":"AVRO","references":[],"metadata":null,"ruleSet":null,"schema":${text('A', 'long')},"deleted":false}}`,
    `{"key":{"magic":1,"version":1,"subject":"b-value","keytype":"SCHEMA"},"value":{"deleted":false,"id":9,"subject":"b-value","version":1,"schema":${text('B', 'int')}}}`,
    `{"key":"{\\"keytype\\":\\"SCHEMA\\",\\"subject\\":\\"c-value\\",\\"version\\":4,\\"magic\\":1}","value":"{\\"subject\\":\\"c-value\\",\\"version\\":4,\\"id\\":3,\\"schema\\":\\"\\\\\\"int\\\\\\"\\"}"}`,
    '{"key":{"keytype":"DELETE_SUBJECT","subject":"b-value","magic":0},"value":{"subject":"b-value","version":1}}',
    '{"key":{"keytype":"SCHEMA","subject":"a-value","version":1,"magic":1},"value":null}',
    '{"key":{"keytype":"CONFIG","subject":"a-value","magic":0},"value":{"compatibilityLevel":"NONE"}}',
    '{"key":{"keytype":"MODE","subject":"c-value","magic":0},"value":{"mode":"READONLY"}}'
  ]
  expect(await json(['import', file('dump.jsonl', dump.join('\n'))])).toEqual({
    registered: 3,
    alreadyThere: 0,
    softDeleted: 1,
    configs: 1,
    modes: 1
  })
  expect(await everything(third)).toMatchObject([
    { subject: 'a-value', version: 2, id: 2, deleted: false },
    { subject: 'b-value', version: 1, id: 9, deleted: true },
    { subject: 'c-value', version: 4, id: 3, deleted: false }
  ])
  expect(await ask(third, 'GET', '/config/a-value')).toEqual({ compatibilityLevel: 'NONE' })
  expect(await ask(third, 'GET', '/mode/c-value')).toEqual({ mode: 'READONLY' })
  expect(await ask(third, 'POST', '/subjects/d-value/versions', { schema: '"long"' })).toMatchObject({ id: 10 })
  expect(await run(['import', 'dump.jsonl'])).toMatchObject({ code: 1, err: expect.stringContaining('d-value') })
  expect(await third.stop()).toBe(0)
})

test('an import that is stopped puts the mode back, and goes on where it broke off when it is run again', async () => {
  const third = await serve()
  const { json, run, file } = commandLine(() => third, { ownProcess: true })
  const count = 3_000
  const lines = Array.from({ length: count }, (_, index) => {
    const subject = `s${index}`
    const value = { subject, version: 1, id: index + 1, schema: record(`R${index}`, 'int'), deleted: false }
    return JSON.stringify({ key: { keytype: 'SCHEMA', subject, version: 1, magic: 1 }, value })
  })
  const path = file('many.jsonl', lines.join('\n'))
  const subjects = async (): Promise<number> => ((await ask(third, 'GET', '/subjects')) as unknown[]).length
  const stopped = await run(['import', path], {
    onStart: async child => {
      while ((await subjects()) === 0) await new Promise(resolve => setTimeout(resolve, 10))
      child.kill('SIGINT')
    }
  })
  expect(stopped).toMatchObject({ code: 1, err: expect.stringContaining('run it again to go on') })
  expect(await ask(third, 'GET', '/mode')).toEqual({ mode: 'READWRITE' })
  const done = await subjects()
  expect(done).toBeGreaterThan(0)
  expect(done).toBeLessThan(count)
  expect(await json(['import', path])).toMatchObject({ registered: count - done, alreadyThere: done })
  expect(await subjects()).toBe(count)
  expect(await third.stop()).toBe(0)
})

describe('import', () => {
  const exported = (): string => join(source.directory, 'all.jsonl')

  beforeAll(async () => {
    await source.json(['export', '--deleted', '-f', 'all.jsonl'])
  })

  test('a dry run changes nothing', async () => {
    const before = await everything(to)
    expect(await target.json(['import', exported(), '--dry-run'])).toMatchObject({ softDeleted: 2, configs: 2 })
    expect(await everything(to)).toEqual(before)
    expect(await ask(to, 'GET', '/mode')).toEqual({ mode: 'READWRITE' })
  })

  test('makes the second registry what the first is: IDs, versions, soft deletes, settings, modes', async () => {
    const counts = (await target.json(['import', exported()])) as { differences?: string[] }
    expect(counts).toMatchObject({ softDeleted: 2 })
    expect(counts.differences).toBeUndefined()
    expect(await everything(to)).toEqual(await everything(from))
    for (const path of ['/config', '/config/orders-value', '/mode', '/mode/late-value', '/contexts']) {
      expect(await ask(to, 'GET', path), path).toEqual(await ask(from, 'GET', path))
    }
  })

  test('run again, passes over what is there', async () => {
    expect(await target.json(['import', exported()])).toMatchObject({ registered: 0, softDeleted: 0 })
    expect(await everything(to)).toEqual(await everything(from))
  })

  test('new schemas go on behind the highest ID', async () => {
    const [first, second] = await Promise.all(
      [from, to].map(server => ask(server, 'POST', '/subjects/next-value/versions', { schema: record('Next', 'int') }))
    )
    expect((second as { id: number }).id).toBe((first as { id: number }).id)
    await Promise.all([from, to].map(server => ask(server, 'DELETE', '/subjects/next-value')))
    await Promise.all([from, to].map(server => ask(server, 'DELETE', '/subjects/next-value?permanent=true')))
  })

  test('beside other subjects it needs --force, and puts the mode back also when it fails', async () => {
    await ask(to, 'POST', '/subjects/stranger-value/versions', { schema: record('Stranger', 'int') })
    const lines = readFileSync(exported(), 'utf8').replaceAll('copies-value', 'copied-value')
    writeFileSync(join(target.directory, 'more.jsonl'), lines)
    const refused = await target.run(['import', 'more.jsonl'])
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not empty: the file does not hold .*stranger-value.*--force/)
    })
    const taken = lines
      .replace(/("subject":"copied-value","version":1,"id":)\d+/, '$11')
      .replaceAll('copied-value', 'cloned-value')
    writeFileSync(join(target.directory, 'taken.jsonl'), taken)
    const failed = await target.run(['import', 'taken.jsonl', '--force'])
    expect(failed).toMatchObject({ code: 1, err: expect.stringMatching(/42205: cloned-value@1 with ID 1: /) })
    expect(await ask(to, 'GET', '/mode')).toEqual({ mode: 'READWRITE' })
    expect(await target.json(['import', 'more.jsonl', '--force'])).toMatchObject({ registered: 1 })
    expect(await ask(to, 'GET', '/subjects/copied-value/versions')).toEqual([1])
    expect(await ask(to, 'GET', '/mode')).toEqual({ mode: 'READWRITE' })
  })

  test('into a context', async () => {
    const { out } = await source.run(['export', '--subject-prefix', 'orders'])
    writeFileSync(join(target.directory, 'orders.jsonl'), out)
    expect(await target.json(['import', 'orders.jsonl', '--context', 'moved'])).toMatchObject({ registered: 2 })
    expect(await ask(to, 'GET', '/subjects/:.moved:orders-value/versions')).toEqual([1, 3])
    expect(await ask(to, 'GET', '/config/:.moved:orders-value')).toMatchObject({ compatibilityLevel: 'FULL' })
    expect(await ask(to, 'GET', '/mode/:.moved:')).toMatchObject({ error_code: 40409 })
    expect(await ask(to, 'POST', '/subjects/:.moved:new-value/versions', { schema: '"int"' })).toHaveProperty('id')
  })

  test.each<[string, string, number, RegExp]>([
    ['a line that is not JSON', '{"key":', 2, /file\.jsonl:1: not JSON/],
    ['a line that is no record', '\n[1]', 2, /file\.jsonl:2: expected \{"key"/],
    [
      'another ID under the same name',
      '{"key":{"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1},"value":{"subject":"orders-value","version":1,"id":4711,"schema":"\\"int\\"","deleted":false}}',
      1,
      /orders-value@1 has ID \d+ there and 4711 in the file/
    ]
  ])('%s is refused', async (_name, content, code, says) => {
    const ran = await target.run(['import', target.file('file.jsonl', content), '--force'])
    expect(ran.err).toMatch(says)
    expect(ran.code).toBe(code)
  })

  test('a file that is not there is refused, and a record of a type that nobody knows is passed over with a word', async () => {
    expect(await target.run(['import', 'none.jsonl'])).toMatchObject({ code: 2, err: expect.stringContaining('none.jsonl') })
    const content = '{"key":{"keytype":"NEWS","magic":0},"value":{}}\n{"key":{"keytype":"NOOP","magic":0},"value":null}\n'
    const { code, err } = await target.run(['import', target.file('news.jsonl', content)])
    expect(err).toMatch(/passed over news\.jsonl:1: keytype "NEWS" is not known/)
    expect(code).toBe(0)
  })
})
