/** schema, subject, config and mode as a user runs them. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

const money = '{"type":"fixed","name":"Money","namespace":"shop","size":8}'
const order = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}'
const orderWithNote =
  '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":"string","default":""}]}'
const bill = '{"type":"record","name":"Bill","namespace":"shop","fields":[{"name":"sum","type":"Money"}]}'
const references = [{ name: 'shop.Money', subject: 'shop.Money', version: 1 }]

let served: Served
const { run, json, file, directory } = commandLine(() => served, { ownProcess: false })
const ids: Record<string, number> = {}

async function register(subject: string, body: object): Promise<number> {
  const answer = await fetch(`${served.http}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const { id } = (await answer.json()) as { id: number }
  expect(answer.status).toBe(200)
  return id
}

beforeAll(async () => {
  served = await serve()
  ids['money'] = await register('shop.Money', { schema: money })
  ids['bill'] = await register('bills-value', { schema: bill, references })
  ids['order'] = await register('orders-value', { schema: order })
  ids['note'] = await register('orders-value', { schema: orderWithNote })
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

describe('schema', () => {
  test('get finds by ID, by subject and by version, as a table, as JSON and as the text alone', async () => {
    const facts = { subject: 'orders-value', version: 1, schemaId: ids['order'], schemaType: 'AVRO', schema: order }
    expect(await json(['schema', 'get', 'orders-value@1'])).toMatchObject(facts)
    expect(await json(['schema', 'get', 'orders-value'])).toMatchObject({ version: 2, schemaId: ids['note'] })
    expect(await json(['schema', 'get', `${ids['bill']}`])).toMatchObject({ schemaId: ids['bill'], schema: bill, references })
    expect(await run(['schema', 'get', 'orders-value@1', '--text'])).toMatchObject({ code: 0, out: `${order}\n` })
    const { out } = await run(['schema', 'get', 'bills-value@latest'])
    expect(out).toMatch(/^subject +bills-value\nversion +1\n/)
    expect(out).toContain('  "fields": [\n    {\n      "name": "sum",\n      "type": "Money"\n    }\n  ]\n}\n')
  })

  test('get --format resolved puts references in their place', async () => {
    const { out } = await run(['schema', 'get', 'bills-value', '--format', 'resolved', '--text'])
    expect(JSON.parse(out)).toMatchObject({ fields: [{ name: 'sum', type: { type: 'fixed', name: 'Money', size: 8 } }] })
  })

  test('list shows all, or the latest, or those of a prefix', async () => {
    const all = (await json(['schema', 'list', '--prefix', 'orders'])) as { version: number }[]
    expect(all.map(({ version }) => version)).toEqual([1, 2])
    expect(await json(['schema', 'list', '--prefix', 'orders', '--latest'])).toMatchObject([
      { version: 2, schema: orderWithNote }
    ])
    expect((await run(['schema', 'list'])).out).toMatch(/SUBJECT +VERSION +SCHEMAID\n(.*\n)*bills-value +1 +\d+\n/)
    expect(await run(['schema', 'list', '--prefix', 'nothing'])).toMatchObject({ code: 0, out: '', err: 'There is no schema.\n' })
  })

  test('find looks a file up, and says when nothing has it', async () => {
    const path = file('orders/value.avsc', JSON.parse(order) as object)
    expect(await json(['schema', 'find', path])).toMatchObject({ subject: 'orders-value', version: 1, schemaId: ids['order'] })
    const missing = await run(['schema', 'find', path, '--subject', 'bills-value'])
    expect(missing).toMatchObject({ code: 1, out: '', err: `No version of bills-value has the schema of ${path}.\n` })
    file('lost.avsc', '"int"')
    expect(await run(['schema', 'find', 'lost.avsc'])).toMatchObject({ code: 2, err: expect.stringContaining('--subject') })
  })

  test('references lists what refers to a version', async () => {
    expect(await json(['schema', 'references', 'shop.Money@1'])).toEqual([
      { subject: 'bills-value', version: 1, schemaId: ids['bill'] }
    ])
    expect(await run(['schema', 'references', 'bills-value@latest'])).toMatchObject({ code: 0, out: '' })
  })

  test('diff compares versions, IDs and files', async () => {
    const { code, out } = await run(['schema', 'diff', 'orders-value@1', 'orders-value@2'])
    expect(code).toBe(100)
    expect(out).toContain('\n+       "name": "note",\n')
    const same = await run(['schema', 'diff', file('same.avsc', JSON.parse(order) as object), `${ids['order']}`])
    expect(same).toMatchObject({ code: 0, out: '' })
    const differing = await run(['schema', 'diff', '1', 'orders-value@2', '-o', 'json'])
    expect(JSON.parse(differing.out)).toMatchObject({ differs: true, before: '1' })
  })

  test('delete is soft, then permanent; the wrong order is told with what to do', async () => {
    await register('gone-value', { schema: '"int"' })
    await register('gone-value', { schema: '"long"' })
    const early = await run(['schema', 'delete', 'gone-value@1', '--permanent'])
    expect(early).toMatchObject({ code: 1, err: expect.stringMatching(/answered 40407:.*\n.*without --permanent first/) })
    expect(await json(['schema', 'delete', 'gone-value@1'])).toEqual({ subject: 'gone-value', version: 1, deleted: 'softly' })
    expect(await json(['schema', 'versions', 'gone-value'])).toMatchObject([{ version: 2 }])
    expect(await json(['schema', 'versions', 'gone-value', '--deleted'])).toMatchObject([
      { version: 1, deleted: true },
      { version: 2, deleted: false }
    ])
    expect(await json(['schema', 'get', 'gone-value@1', '--deleted'])).toMatchObject({ schema: '"int"', deleted: true })
    expect(await json(['schema', 'delete', 'gone-value@1', '--permanent'])).toMatchObject({ deleted: 'permanently' })
    expect(await json(['schema', 'list', '--prefix', 'gone', '--deleted'])).toMatchObject([{ version: 2, deleted: false }])
    expect(await run(['schema', 'delete', 'shop.Money@1'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/answered 42206:.*\n.*assay schema references/)
    })
  })
})

describe('subject', () => {
  test('list, with the deleted ones marked', async () => {
    await register('left-value', { schema: '"int"' })
    await run(['subject', 'delete', 'left-value'])
    expect(await json(['subject', 'list', '--prefix', 'left'])).toEqual([])
    expect(await json(['subject', 'list', '--prefix', 'left', '--deleted'])).toEqual([{ subject: 'left-value', deleted: true }])
    expect((await run(['subject', 'list'])).out.split('\n')).toContain('orders-value')
  })

  test('describe shows versions and what is in force', async () => {
    expect(await json(['subject', 'describe', 'bills-value'])).toMatchObject({
      compatibilityLevel: 'BACKWARD',
      compatibilityLevelFrom: 'default',
      mode: 'READWRITE',
      modeFrom: 'default',
      versions: [{ version: 1, schemaId: ids['bill'], references: ['shop.Money@1'] }]
    })
    expect((await run(['subject', 'describe', 'shop.Money'])).out).toMatch(/referred to by +schema IDs \d+/)
  })

  test('delete takes every version', async () => {
    await register('all-value', { schema: '"int"' })
    await register('all-value', { schema: '"long"' })
    expect(await json(['subject', 'delete', 'all-value', '--yes'])).toEqual({
      subject: 'all-value',
      versions: [1, 2],
      deleted: 'softly'
    })
    expect(await json(['subject', 'delete', 'all-value', '--permanent'])).toMatchObject({
      versions: [1, 2],
      deleted: 'permanently'
    })
  })

  const hasTerminal = spawnSync('script', ['--version']).status === 0
  test.skipIf(!hasTerminal)('delete asks at a terminal, and only y goes on', async () => {
    await register('asked-value', { schema: '"int"' })
    const node = `${process.execPath} --conditions=source ${join(import.meta.dirname, '../../../apps/cli/main.ts')}`
    const atTerminal = (answer: string): string => {
      const call = `${node} subject delete asked-value --registry ${served.http}`
      return spawnSync('script', ['-qec', call, '/dev/null'], { cwd: directory, input: answer, encoding: 'utf8' }).stdout
    }
    expect(atTerminal('n\n')).toMatch(/Delete every version of asked-value softly\? \[y\/N\][\s\S]*Nothing was done/)
    expect(await json(['schema', 'versions', 'asked-value'])).toHaveLength(1)
    expect(atTerminal('y\n')).toMatch(/asked-value/)
    expect(await json(['subject', 'list', '--prefix', 'asked'])).toEqual([])
  })
})

describe('config', () => {
  test('what is set for a subject is shown, and with --all what is in force and where it comes from', async () => {
    expect(await run(['config', 'get', 'orders-value'])).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('--all')
    })
    const set = ['config', 'set', 'orders-value', '--compatibility', 'full', '--normalize', 'true']
    expect(await json(set)).toMatchObject({ subject: 'orders-value', compatibilityLevel: 'FULL', normalize: true })
    expect(await json(['config', 'get', 'orders-value'])).toMatchObject({ compatibilityLevel: 'FULL', normalize: true })
    const inForce = async (...subject: string[]): Promise<Record<string, unknown>> => {
      const rows = (await json(['config', 'get', ...subject, '--all'])) as { setting: string; value: unknown; from: string }[]
      return Object.fromEntries(rows.map(({ setting, value, from }) => [setting, `${value} ${from}`]))
    }
    expect(await inForce('orders-value')).toMatchObject({
      compatibilityLevel: 'FULL subject',
      normalize: 'true subject',
      compatibilityPolicy: 'STRICT default'
    })
    await run(['config', 'set', '--compatibility', 'FORWARD'])
    expect(await inForce('bills-value')).toMatchObject({ compatibilityLevel: 'FORWARD registry' })
    expect(await inForce()).toMatchObject({ compatibilityLevel: 'FORWARD registry' })
    expect(await json(['config', 'unset'])).toMatchObject({ subject: null, unset: { compatibilityLevel: 'FORWARD' } })
    expect(await json(['config', 'unset', 'orders-value'])).toMatchObject({
      unset: { compatibilityLevel: 'FULL', normalize: true }
    })
    expect(await inForce('orders-value')).toMatchObject({ compatibilityLevel: 'BACKWARD default', normalize: 'false default' })
  })

  test('every setting can be given; JSON also from a file', async () => {
    const path = file('metadata.json', { properties: { owner: 'shop' } })
    const rules = { domainRules: [{ name: 'positive', kind: 'CONDITION', type: 'CEL', mode: 'WRITE', expr: 'message.id > 0' }] }
    const set = [
      ...['config', 'set', 'full-value', '--alias', 'orders-value', '--alias-for-deks', 'orders-value'],
      ...['--compatibility', 'NONE', '--compatibility-group', 'major', '--compatibility-policy', 'STRICT'],
      ...['--normalize', 'false', '--validate-fields', 'true', '--validate-new-schemas', 'true', '--validate-rules', 'true'],
      ...['--default-metadata', `@${path}`, '--override-metadata', '{"properties":{"region":"eu"}}'],
      ...['--default-rule-set', JSON.stringify(rules), '--override-rule-set', JSON.stringify(rules)]
    ]
    const wanted = {
      alias: 'orders-value',
      aliasForDeks: 'orders-value',
      compatibilityLevel: 'NONE',
      compatibilityGroup: 'major',
      compatibilityPolicy: 'STRICT',
      normalize: false,
      validateFields: true,
      validateNewSchemas: true,
      validateRules: true,
      defaultMetadata: { properties: { owner: 'shop' } },
      overrideMetadata: { properties: { region: 'eu' } },
      defaultRuleSet: { domainRules: [{ name: 'positive' }] },
      overrideRuleSet: { domainRules: [{ name: 'positive' }] }
    }
    expect(await json(set)).toMatchObject(wanted)
  })

  test('a context has settings of its own', async () => {
    await run(['config', 'set', ':.sales:', '--compatibility', 'FULL'])
    const rows = (await json(['config', 'get', ':.sales:orders', '--all'])) as { setting: string }[]
    expect(rows.find(({ setting }) => setting === 'compatibilityLevel')).toMatchObject({ value: 'FULL', from: 'context' })
    await run(['config', 'unset', ':.sales:'])
  })
})

describe('mode', () => {
  test('is set, shown with where it comes from, obeyed, and unset', async () => {
    expect(await json(['mode', 'set', 'readonly', 'orders-value'])).toEqual({ subject: 'orders-value', mode: 'READONLY' })
    expect(await json(['mode', 'get', 'orders-value'])).toEqual({ subject: 'orders-value', mode: 'READONLY', from: 'subject' })
    expect(await run(['subject', 'delete', 'orders-value'])).toMatchObject({ code: 1, err: expect.stringContaining('42205') })
    expect(await json(['mode', 'unset', 'orders-value'])).toEqual({ subject: 'orders-value', unset: 'READONLY' })
    expect(await json(['mode', 'get', 'orders-value'])).toMatchObject({ mode: 'READWRITE', from: 'default' })
    await run(['mode', 'set', 'READONLY'])
    expect(await json(['mode', 'get', 'orders-value'])).toMatchObject({ mode: 'READONLY', from: 'registry' })
    await run(['mode', 'set', 'READWRITE'])
  })

  test('IMPORT needs --force where subjects are', async () => {
    expect(await run(['mode', 'set', 'IMPORT', 'orders-value'])).toMatchObject({ code: 1, err: expect.stringContaining('42205') })
    expect(await json(['mode', 'set', 'IMPORT', 'orders-value', '--force'])).toMatchObject({ mode: 'IMPORT' })
    await run(['mode', 'unset', 'orders-value'])
  })

  test('of a context and with --recursive of its subjects', async () => {
    await run(['mode', 'set', 'READONLY', ':.sales:'])
    await run(['mode', 'set', 'READWRITE', ':.sales:orders'])
    expect(await json(['mode', 'get', ':.sales:orders'])).toMatchObject({ mode: 'READWRITE', from: 'subject' })
    expect(await json(['mode', 'get', ':.sales:bills'])).toMatchObject({ mode: 'READONLY', from: 'context' })
    await run(['mode', 'unset', ':.sales:', '--recursive'])
    expect(await json(['mode', 'get', ':.sales:orders'])).toMatchObject({ mode: 'READWRITE', from: 'default' })
  })
})

describe('who asks', () => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization)
    response.end('[]')
  })
  let registry: string
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    file('password', 's3cret\n')
    file('token', 'abc.def\n')
  })
  afterAll(() => void server.close())
  const basic = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`

  test.each<[string, string[], Record<string, string>, string | undefined]>([
    ['nobody', [], {}, undefined],
    ['a user with a password', ['--registry-user', 'ann', '--registry-password-file', 'password'], {}, basic],
    ['the same from the environment', [], { ASSAY_REGISTRY_USER: 'ann', ASSAY_REGISTRY_PASSWORD_FILE: 'password' }, basic],
    ['the bearer of a token', ['--registry-token-file', 'token'], {}, 'Bearer abc.def']
  ])('%s', async (_name, args, env, authorization) => {
    for (const verb of [
      ['subject', 'list'],
      ['tail', 'a', '--no-follow']
    ]) {
      asked.length = 0
      await run([...verb, '--registry', registry, ...args], { env })
      expect(asked, verb.join(' ')).toEqual([authorization])
    }
  })

  test('the user of a URL', async () => {
    asked.length = 0
    await run(['subject', 'list', '--registry', registry.replace('//', '//ann:s3cret@')])
    expect(asked).toEqual([basic])
  })
})

describe('mistakes', () => {
  const nowhere = ['--registry', 'http://127.0.0.1:1']
  test.each<[string, string[], number, RegExp]>([
    ['a subject that is mistyped', ['schema', 'versions', 'ordes-value'], 1, /40401:.*Did you mean orders-value\?/],
    ['a subject that is not there', ['subject', 'delete', 'something-else'], 1, /40401: Subject 'something-else' not found\.\n$/],
    ['a version that is not there', ['schema', 'get', 'orders-value@9'], 1, /40402/],
    ['an ID that is not there', ['schema', 'get', '4711'], 1, /40403/],
    ['a version that is not named', ['schema', 'delete', 'orders-value'], 2, /name the version, as in orders-value@1/],
    ['a level that is none', ['config', 'set', '--compatibility', 'SIDEWAYS'], 1, /42203/],
    ['no setting to change', ['config', 'set', 'orders-value'], 2, /name a setting/],
    ['bad JSON', ['config', 'set', '--default-metadata', '{bad'], 2, /--default-metadata \{bad: .*JSON/],
    ['JSON that is no object', ['config', 'set', '--default-metadata', '[]'], 2, /expected a JSON object/],
    ['a file of JSON that is not there', ['config', 'set', '--default-metadata', '@none.json'], 2, /none\.json/],
    ['a mode that is none', ['mode', 'set', 'SLEEPING'], 2, /SLEEPING is no mode: one of READWRITE/],
    ['no registry there', ['subject', 'list', ...nowhere], 3, /cannot be reached/],
    ['a password without a user', ['subject', 'list', '--registry-password-file', 'p'], 2, /needs --registry-user/],
    ['a token file that is not there', ['subject', 'list', '--registry-token-file', 'none'], 2, /--registry-token-file none/],
    ['a user and a token', ['subject', 'list', '--registry-user', 'u', '--registry-token-file', 't'], 2, /give one of them/],
    ['a certificate without a key', ['subject', 'list', '--registry-cert', 'same.avsc'], 2, /needs its key/]
  ])('%s', async (_name, args, code, says) => {
    const ran = await run(args)
    expect(ran.err).toMatch(says)
    expect(ran.code).toBe(code)
  })
})
