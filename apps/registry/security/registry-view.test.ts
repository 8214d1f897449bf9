/** What a caller sees of a registry in which not all is his: lists, names in other contexts, references, schemas by ID and GUID, events. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSecured, type Secured } from './secured.fixture.ts'

/** Of anna are `a-…`, the context `.sales` and the topic `mine`; the rest is not. */
const acls = [
  'anna allow all subject a-*',
  'anna allow all subject :.sales:*',
  'anna allow all topic mine',
  'anna allow read subject shared',
  'bert allow all subject b-*',
  'writer allow write subject a-*'
]
const int = '"int"'
const money = '{"type":"enum","name":"Money","symbols":["EUR"]}'
const list = '{"type":"array","items":"Money"}'
const moneyOf = (subject: string) => ({ schema: list, references: [{ name: 'Money', subject, version: 1 }] })

let door: Secured
let secretGuid = ''
let intGuid = ''

beforeAll(async () => {
  door = await openSecured({ users: ['anna', 'bert', 'writer', 'root'], acls })
  const { registry } = door
  // IDs of the default context: 1 int, 2 money, 3 list of b-money, 4 long.
  const intId = await registry.register('b-int', { schema: int })
  await registry.register('a-int', { schema: int })
  await registry.register('b-money', { schema: money })
  await registry.register('b-list', moneyOf('b-money'))
  const secret = await registry.register('b-secret', { schema: '"long"' })
  await registry.register(':.sales:orders', { schema: '"bytes"' })
  await registry.register(':.payroll:orders', { schema: '"double"' })
  await registry.register(':.payroll:salaries', { schema: '"float"' })
  await registry.setConfig('a-alias', { alias: 'b-secret' })
  secretGuid = secret.guid
  intGuid = intId.guid
  expect([intId.id, secret.id]).toEqual([1, 4])
})

afterAll(() => door.close())

const rows: [line: string, answer: unknown][] = [
  ['GET /subjects', [':.sales:orders', 'a-int']],
  ['GET /subjects?subjectPrefix=:*:', [':.sales:orders', 'a-int']],
  ['GET /subjects?subjectPrefix=:.payroll:', []],
  ['GET /subjects?subjectPrefix=b-', []],
  ['GET /subjects?offset=1&limit=1', ['a-int']],
  ['GET /contexts', ['.', '.sales']],
  [
    'GET /schemas?subjectPrefix=:*:',
    [expect.objectContaining({ subject: ':.sales:orders' }), expect.objectContaining({ subject: 'a-int' })]
  ],
  ['GET /schemas?subjectPrefix=:*:&offset=1&limit=1', [expect.objectContaining({ subject: 'a-int' })]],
  ['GET /schemas?subjectPrefix=a-alias&aliases=true', []],
  ['GET /schemas/ids/1/subjects', ['a-int']],
  ['GET /schemas/ids/1/versions', [{ subject: 'a-int', version: 1 }]],
  ['GET /schemas/ids/1?subject=a-int', expect.objectContaining({ subject: 'a-int', version: 1, schema: int })],
  // Another subject that holds it was registered first.
  ['GET /schemas/ids/1?subject=a-nothing', expect.objectContaining({ subject: 'a-int', version: 1 })],
  ['GET /schemas/ids/1', expect.objectContaining({ schema: int })],
  ['GET /subjects/orders/versions/1', { error_code: 40301, message: expect.any(String) }],
  ['GET /subjects/:.sales:orders/versions/1', expect.objectContaining({ subject: ':.sales:orders', schema: '"bytes"' })]
]

describe('a caller sees', () => {
  test.each(rows)('%s', async (line, answer) => {
    expect((await door.ask(line, { user: 'anna' })).body).toEqual(answer)
  })

  test('by GUID what he may read in one context at least', async () => {
    expect((await door.ask(`GET /schemas/guids/${intGuid}`, { user: 'anna' })).body).toMatchObject({ schema: int })
    expect((await door.ask(`GET /schemas/guids/${secretGuid}`, { user: 'anna' })).status).toBe(403)
    await door.registry.register(':.sales:double', { schema: '"double"' })
    const { guid } = await door.registry.lookUp(':.payroll:orders', { schema: '"double"' })
    expect((await door.ask(`GET /schemas/guids/${guid}`, { user: 'anna' })).body).toMatchObject({ schema: '"double"' })
    expect((await door.ask(`GET /schemas/guids/${guid}/ids`, { user: 'anna' })).body).toEqual([{ context: '.sales', id: 2 }])
    expect((await door.ask(`GET /schemas/guids/${guid}/ids`, { user: 'root' })).body).toEqual([
      { context: '.payroll', id: 1 },
      { context: '.sales', id: 2 }
    ])
  })

  test('through an alias of his nothing that is not his', async () => {
    const { status, message } = await door.ask('GET /subjects/a-alias/versions/1', { user: 'anna' })
    expect([status, message]).toEqual([403, expect.stringContaining("may not read subject 'b-secret'")])
  })

  test('all, when he is a superuser', async () => {
    expect((await door.ask('GET /subjects', { user: 'root' })).body).toContain('b-secret')
    expect((await door.ask('GET /contexts', { user: 'root' })).body).toEqual(['.', '.payroll', '.sales'])
  })
})

describe('a plain name that another context has', () => {
  // Whoever may read every plain name may not therefore read other contexts.
  beforeAll(() => door.change([...acls, 'anna allow all subject salaries']))
  const notThere = { error_code: 40401, message: "Subject 'salaries' not found." }

  test.each([
    ['GET /subjects/salaries/versions/1', undefined],
    ['GET /subjects/salaries/versions/latest/schema', undefined],
    ['GET /subjects/salaries/versions/1/referencedby', undefined],
    ['POST /subjects/salaries', { schema: '"float"' }],
    ['POST /subjects/salaries/versions/1/tags', {}]
  ])('is not there for who may not read it: %s', async (line, body) => {
    expect((await door.ask(line, { user: 'anna', body })).body).toEqual(notThere)
  })

  test('is there for who may', async () => {
    const { body } = await door.ask('GET /subjects/salaries/versions/1', { user: 'root' })
    expect(body).toMatchObject({ subject: ':.payroll:salaries', schema: '"float"' })
  })
})

describe('a schema that refers to another', () => {
  const refused = {
    error_code: 40301,
    message:
      "User:anna may not read subject 'b-money': no ACL allows it; one that does: assay acl add User:anna read subject b-money"
  }

  test.each(['POST /subjects/a-list/versions', 'POST /subjects/a-list', 'POST /compatibility/subjects/a-list/versions'])(
    'must refer to what its sender may read: %s',
    async line => {
      expect((await door.ask(line, { user: 'anna', body: moneyOf('b-money') })).body).toEqual(refused)
    }
  )

  test('is taken when he may', async () => {
    await door.registry.register('shared', { schema: money })
    const { status } = await door.ask('POST /subjects/a-list/versions', { user: 'anna', body: moneyOf('shared') })
    expect(status).toBe(200)
    // Nor does the one that is referred to tell who refers to it.
    await door.change([...acls, 'anna allow read subject b-money'])
    expect((await door.ask('GET /subjects/b-money/versions/1/referencedby', { user: 'anna' })).body).toEqual([])
    expect((await door.ask('GET /subjects/b-money/versions/1/referencedby', { user: 'root' })).body).toEqual([3])
  })
})

describe('events', () => {
  const events = (valueSchema: unknown) => ({ events: [{ value: 7 }], valueSchema })
  const produce = async (valueSchema: unknown) =>
    door.ask('POST /v1/topics/mine/events', { user: 'anna', body: events(valueSchema) })

  test('name no schema that is not his', async () => {
    for (const choice of [{ subject: 'b-secret' }, { schemaId: 4 }])
      expect((await produce(choice)).status, JSON.stringify(choice)).toBe(403)
    for (const reader of ['4', 'b-secret', 'b-secret@1']) {
      expect((await door.ask(`GET /v1/topics/mine/events?reader=${reader}`, { user: 'anna' })).status, reader).toBe(403)
    }
    expect((await produce({ schemaId: 99 })).body).toMatchObject({ error_code: 40403 })
  })

  test('name those of their topic, and those that he may read', async () => {
    await door.registry.register('mine-value', { schema: '"long"' })
    expect((await produce({ subject: 'mine-value' })).message).toBe('')
    expect((await produce({ schemaId: 4 })).status).toBe(200)
    expect((await door.ask('GET /v1/topics/mine/events?reader=mine-value', { user: 'anna' })).body).toMatchObject({
      events: [{ value: 7 }, { value: 7 }]
    })
    expect((await door.ask('GET /v1/topics/mine/events?reader=b-secret', { user: 'anna' })).status).toBe(403)
    expect((await door.ask('GET /v1/topics/other/events', { user: 'anna' })).status).toBe(403)
  })
})
