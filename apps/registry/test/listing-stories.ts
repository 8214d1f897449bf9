/** Stories about lists, and about the many ways to ask for a schema. */
import { expect } from 'vitest'
import { failure, type Story } from './stories.ts'

const INT = { guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32', schemaType: 'AVRO', schema: '"int"' }
const STRING = { guid: '095d71cf-1255-6b9d-5e33-0ad575b3df5d', schemaType: 'AVRO', schema: '"string"' }
const written = { ts: expect.any(Number), deleted: false }
const version = (subject: string, number: number, id: number, content: object) => ({
  subject,
  version: number,
  id,
  ...content,
  ...written
})
const register = (subject: string, body: object, id: number) => ({
  ask: `POST /subjects/${subject}/versions`,
  body,
  answer: expect.objectContaining({ id })
})

const money = '{"type":"enum","name":"Money","namespace":"n","symbols":["EUR"]}'
const prices = '{"type":"array","items":"n.Money"}'
const reference = (subject: string) => [{ name: 'n.Money', subject, version: 1 }]
const customer = (tags: string) =>
  `{"type":"record","name":"Customer","namespace":"n","fields":[{"name":"mail","type":"string"${tags}},{"name":"id","type":"long"}]}`
const tagged = (tags: string[], path = 'n.Customer.mail', entityType = 'sr_field') => ({
  schemaEntity: { entityPath: path, entityType },
  tags
})

export const listingStories: Story[] = [
  {
    name: 'the list of all versions',
    steps: [
      { ask: 'GET /schemas', answer: [] },
      { ask: 'PUT /config', body: { compatibility: 'NONE' }, answer: { compatibility: 'NONE' } },
      register('s', { schema: '"int"' }, 1),
      register('s', { schema: '"string"' }, 2),
      register('t', { schema: '"int"' }, 1),
      register(':.ctx:u', { schema: '"int"' }, 1),
      { ask: 'GET /schemas', answer: [version('s', 1, 1, INT), version('s', 2, 2, STRING), version('t', 1, 1, INT)] },
      { ask: 'GET /schemas?latestOnly=true', answer: [version('s', 2, 2, STRING), version('t', 1, 1, INT)] },
      { ask: 'GET /schemas?latestOnly=true&limit=1', answer: [version('s', 2, 2, STRING)] },
      { ask: 'GET /schemas?latestOnly=true&offset=1&limit=1', answer: [version('t', 1, 1, INT)] },
      { ask: 'GET /schemas?offset=3', answer: [] },
      { ask: 'GET /schemas?offset=-5&limit=0&subjectPrefix=t', answer: [version('t', 1, 1, INT)] },
      {
        ask: 'GET /schemas?subjectPrefix=:*:&latestOnly=true',
        answer: [version(':.ctx:u', 1, 1, INT), version('s', 2, 2, STRING), version('t', 1, 1, INT)]
      },
      { ask: 'GET /schemas?subjectPrefix=:.ctx:', answer: [version(':.ctx:u', 1, 1, INT)] },
      { ask: 'GET /contexts/ctx/schemas', answer: [version(':.ctx:u', 1, 1, INT)] },
      { ask: 'DELETE /subjects/s/versions/2', answer: 2 },
      { ask: 'GET /schemas?latestOnly=true&subjectPrefix=s', answer: [version('s', 1, 1, INT)] },
      {
        ask: 'GET /schemas?latestOnly=true&subjectPrefix=s&deleted=true',
        answer: [{ ...version('s', 2, 2, STRING), deleted: true }]
      },
      { ask: 'PUT /config/nick', body: { alias: 't' }, answer: { alias: 't' } },
      { ask: 'GET /schemas?subjectPrefix=nick', answer: [] },
      { ask: 'GET /schemas?subjectPrefix=nick&aliases=true', answer: [{ ...version('t', 1, 1, INT), aliases: ['nick'] }] },
      {
        ask: 'GET /schemas?limit=x',
        status: 400,
        answer: failure(400, "Query parameter limit: 'x' is not an integer")
      }
    ]
  },
  {
    name: 'rules, and metadata that a version is found by',
    steps: [
      register('s', { schema: '"int"', metadata: { properties: { major: '1', owner: 'us' } } }, 1),
      register(
        's',
        {
          schema: '"int"',
          metadata: { properties: { major: '2', owner: 'us' }, tags: {} },
          ruleSet: { domainRules: [{ name: 'r', mode: 'WRITE', type: 'CEL', doc: '', tags: [] }], migrationRules: [] }
        },
        2
      ),
      {
        ask: 'GET /subjects/s/metadata?key=owner&value=us',
        answer: {
          subject: 's',
          version: 2,
          id: 2,
          guid: expect.any(String),
          schemaType: 'AVRO',
          metadata: { properties: { major: '2', owner: 'us' } },
          ruleSet: { domainRules: [{ name: 'r', kind: 'TRANSFORM', mode: 'WRITE', type: 'CEL', disabled: false }] },
          schema: '"int"',
          ...written
        }
      },
      {
        ask: 'GET /subjects/s/metadata?key=owner&value=us&key=major&value=1',
        answer: expect.objectContaining({ version: 1, metadata: { properties: { major: '1', owner: 'us' } } })
      },
      { ask: 'GET /subjects/s/metadata?key=major&value=1&key=ignored', answer: expect.objectContaining({ version: 1 }) },
      { ask: 'GET /subjects/s/metadata', answer: expect.objectContaining({ version: 2 }) },
      { ask: 'GET /subjects/s/metadata?key=major&value=3', status: 404, answer: failure(40403, 'Schema not found') },
      { ask: 'GET /subjects/x/metadata?key=a&value=b', status: 404, answer: failure(40401, "Subject 'x' not found.") },
      { ask: 'GET /schemas?ruleType=CEL', answer: [expect.objectContaining({ subject: 's', version: 2 })] },
      { ask: 'GET /schemas?ruleType=ENCRYPT', answer: [] },
      { ask: 'DELETE /subjects/s/versions/2', answer: 2 },
      { ask: 'GET /subjects/s/metadata?key=owner&value=us', answer: expect.objectContaining({ version: 1 }) },
      { ask: 'GET /subjects/s/metadata?key=owner&value=us&deleted=true', answer: expect.objectContaining({ version: 2 }) }
    ]
  },
  {
    name: 'GUIDs and IDs of several contexts',
    steps: [
      register(':.ctx:s', { schema: '"string"' }, 1),
      register(':.ctx:s2', { schema: '"int"' }, 2),
      register('s', { schema: '"int"' }, 1),
      { ask: `GET /schemas/guids/${INT.guid}`, answer: { ...INT, ...written } },
      { ask: `GET /schemas/guids/${INT.guid.toUpperCase()}?format=resolved`, answer: { ...INT, ...written } },
      {
        ask: `GET /schemas/guids/${INT.guid}/ids`,
        answer: [
          { context: '.', id: 1 },
          { context: '.ctx', id: 2 }
        ]
      },
      { ask: 'GET /schemas/guids/none', status: 404, answer: failure(40403, 'Schema none not found') },
      { ask: 'GET /schemas/guids/none/ids', answer: [] },
      { ask: 'GET /schemas/ids/1', answer: { ...INT, ...written } },
      { ask: 'GET /schemas/ids/1?subject=:.ctx:', answer: { subject: ':.ctx:s', version: 1, ...STRING, ...written } },
      { ask: 'GET /schemas/ids/1?subject=:.ctx:s', answer: { subject: ':.ctx:s', version: 1, ...STRING, ...written } },
      {
        ask: 'GET /contexts/.ctx/schemas/ids/1?fetchMaxId=true',
        answer: { subject: ':.ctx:s', version: 1, ...STRING, maxId: 2, ...written }
      },
      { ask: 'GET /schemas/ids/1?fetchMaxId=true', answer: { ...INT, maxId: 1, ...written } },
      { ask: 'GET /schemas/ids/1/schema?subject=:.ctx:', answer: 'string' },
      { ask: 'GET /schemas/ids/1/subjects?subject=:.ctx:', answer: [':.ctx:s'] },
      { ask: 'GET /contexts/:.ctx:/schemas/ids/1/versions', answer: [{ subject: ':.ctx:s', version: 1 }] },
      { ask: 'GET /schemas/ids/2', status: 404, answer: failure(40403, 'Schema 2 not found') },
      { ask: 'GET /contexts/none/schemas/ids/1', status: 404, answer: failure(40403, 'Schema 1 not found') }
    ]
  },
  {
    name: 'texts with references in them, and references with contexts',
    steps: [
      register(':.ctx:money', { schema: money }, 1),
      register(':.ctx:prices', { schema: prices, references: reference('money') }, 2),
      { ask: 'GET /subjects/:.ctx:prices/versions/1/schema', answer: { type: 'array', items: 'n.Money' } },
      {
        ask: 'GET /subjects/:.ctx:prices/versions/1/schema?format=resolved',
        answer: { type: 'array', items: JSON.parse(money) }
      },
      { ask: 'GET /schemas/ids/2/schema?subject=:.ctx:&format=RESOLVED', answer: { type: 'array', items: JSON.parse(money) } },
      { ask: 'GET /schemas/ids/2/schema?subject=:.ctx:&format=unknown', answer: { type: 'array', items: 'n.Money' } },
      {
        ask: 'GET /subjects/:.ctx:prices/versions/latest?format=resolved&referenceFormat=qualified',
        answer: expect.objectContaining({
          schema: `{"type":"array","items":${money}}`,
          references: reference(':.ctx:money')
        })
      },
      {
        ask: 'GET /subjects/:.ctx:prices/versions/latest',
        answer: expect.objectContaining({ schema: prices, references: reference('money') })
      },
      {
        ask: 'GET /schemas/ids/2?subject=:.ctx:prices&referenceFormat=qualified',
        answer: expect.objectContaining({ references: reference(':.ctx:money') })
      },
      {
        ask: 'POST /subjects/:.ctx:prices?format=resolved',
        body: { schema: prices, references: reference('money') },
        answer: expect.objectContaining({ id: 2, subject: ':.ctx:prices', schema: `{"type":"array","items":${money}}` })
      },
      {
        ask: 'POST /subjects/:.ctx:prices/versions?format=resolved',
        body: { schema: prices, references: reference('money') },
        answer: expect.objectContaining({ id: 2, version: 1, schema: `{"type":"array","items":${money}}` })
      },
      // A name without a context is looked for everywhere.
      { ask: 'GET /subjects/prices/versions/1', answer: expect.objectContaining({ subject: ':.ctx:prices', id: 2 }) },
      {
        ask: 'POST /subjects/money',
        body: { schema: money },
        answer: expect.objectContaining({ subject: ':.ctx:money', id: 1 })
      },
      { ask: 'GET /contexts/ctx/subjects/money/versions/1/referencedby', answer: [2] }
    ]
  },
  {
    name: 'tags inside a schema',
    steps: [
      register('s', { schema: customer('') }, 1),
      { ask: 'GET /subjects/s/versions/1?findTags=*', answer: expect.not.objectContaining({ schemaTags: expect.anything() }) },
      {
        ask: 'POST /subjects/s/versions/latest/tags',
        body: { tagsToAdd: [tagged(['PII', 'MAIL'])] },
        answer: expect.objectContaining({ id: 2, version: 2, schema: customer(',"confluent:tags":["PII","MAIL"]') })
      },
      {
        ask: 'GET /subjects/s/versions/2?findTags=*',
        answer: expect.objectContaining({ schemaTags: [tagged(['PII', 'MAIL'])] })
      },
      {
        ask: 'GET /schemas/ids/2?findTags=OTHER&findTags=MAIL',
        answer: expect.objectContaining({ schemaTags: [tagged(['PII', 'MAIL'])] })
      },
      { ask: 'GET /schemas/ids/2?findTags=OTHER', answer: expect.not.objectContaining({ schemaTags: expect.anything() }) },
      {
        ask: 'POST /subjects/s/versions/2/tags',
        body: { tagsToRemove: [tagged(['MAIL'])], tagsToAdd: [tagged(['KEY'], 'n.Customer', 'sr_record')] },
        answer: expect.objectContaining({ id: 3, version: 3 })
      },
      {
        ask: 'GET /subjects/s/versions/3?findTags=*',
        answer: expect.objectContaining({ schemaTags: [tagged(['KEY'], 'n.Customer', 'sr_record'), tagged(['PII'])] })
      },
      {
        ask: 'POST /subjects/s/versions/9/tags',
        body: { tagsToAdd: [tagged(['PII'])] },
        status: 404,
        answer: failure(40402, 'Version 9 not found.')
      },
      {
        ask: 'POST /subjects/s/versions/1/tags',
        body: { tagsToAdd: [tagged(['PII'], 'n.Nobody.mail')] },
        status: 422,
        answer: failure(42201, expect.stringContaining('Nobody'))
      },
      {
        ask: 'POST /subjects/s/versions/1/tags',
        body: { ruleSet: {}, rulesToMerge: {} },
        status: 422,
        answer: failure(42210, 'ruleSet should be omitted if specifying rulesToMerge or rulesToRemove')
      },
      {
        ask: 'POST /subjects/s/versions/1/tags',
        body: { tagsToAdd: [{ schemaEntity: { entityPath: 'n.Customer', entityType: 'table' }, tags: [] }] },
        status: 400,
        answer: failure(400, expect.stringContaining('entityType'))
      },
      {
        ask: 'POST /subjects/t/versions',
        body: { schema: customer(''), schemaTagsToAdd: [tagged(['PII'])] },
        answer: expect.objectContaining({ schema: customer(',"confluent:tags":["PII"]') })
      },
      {
        ask: 'POST /subjects/t/versions',
        body: { schema: customer(',"doc":"Where to write"'), propagateSchemaTags: true },
        answer: expect.objectContaining({ version: 2, schema: customer(',"doc":"Where to write","confluent:tags":["PII"]') })
      }
    ]
  }
]
