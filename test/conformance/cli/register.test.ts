/** assay register as a user runs it: folders with references, dry runs, contexts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

let served: Served
const { run, json, file } = commandLine(() => served, { ownProcess: false })

interface Row {
  readonly subject: string
  readonly result: string
  readonly version: number | null
  readonly references?: readonly object[]
}

const fixed = (name: string) => ({ type: 'fixed', name, namespace: 'shop', size: 8 })
const record = (name: string, fields: Record<string, unknown>) => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type }))
})

/** What a call says of each subject, whether it refuses some or not. */
async function outcomes(args: readonly string[]): Promise<Record<string, string>> {
  const { out, err } = await run(['register', ...args, '-o', 'json'])
  if (out === '') throw new Error(err)
  const rows = JSON.parse(out) as Row[]
  return Object.fromEntries(rows.map(({ subject, result, version }) => [subject, `${result} ${version}`]))
}

const versionsOf = async (subject: string): Promise<unknown> =>
  (await fetch(`${served.http}/subjects/${encodeURIComponent(subject)}/versions`)).json()

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

describe('a folder whose files use each other', () => {
  let folder: string
  let count = 0
  const write = (path: string, content: object): string => file(`${folder}/${path}`, content)
  /** Names of their own in each test: the registry is one for all. */
  const own = (name: string): string => `${name}${count}`

  beforeEach(() => {
    folder = `folder${++count}`
    write('common/money.avsc', fixed(own('Money')))
    write('common/address.avsc', record(own('Address'), { street: 'string', deposit: own('Money') }))
    write(`bills${count}/value.avsc`, record(own('Bill'), { sum: own('Money'), to: ['null', own('Address')] }))
    write(`carts${count}/value.avsc`, record(own('Cart'), { note: 'string' }))
    write('common/unused.avsc', record(own('Unused'), {}))
  })

  test('is registered in the order of its references, and nothing that nobody uses', async () => {
    const rows = (await json(['register', folder])) as Row[]
    expect(rows.map(({ subject, result, version }) => [subject, result, version])).toEqual([
      [`shop.${own('Money')}`, 'registered', 1],
      [`shop.${own('Address')}`, 'registered', 1],
      [`bills${count}-value`, 'registered', 1],
      [`carts${count}-value`, 'registered', 1]
    ])
    const answer = await (await fetch(`${served.http}/subjects/bills${count}-value/versions/1`)).json()
    expect(answer).toMatchObject({
      references: ['Money', 'Address'].map(name => ({ name: `shop.${own(name)}`, subject: `shop.${own(name)}`, version: 1 }))
    })
    expect(await outcomes([folder])).toEqual({
      [`shop.${own('Money')}`]: 'unchanged 1',
      [`shop.${own('Address')}`]: 'unchanged 1',
      [`bills${count}-value`]: 'unchanged 1',
      [`carts${count}-value`]: 'unchanged 1'
    })
  })

  test('gets new versions of what refers to a new version', async () => {
    await run(['register', folder])
    const street = { name: 'zip', type: 'string', default: '' }
    const address = record(own('Address'), { street: 'string', deposit: own('Money') })
    write('common/address.avsc', { ...address, fields: [...address.fields, street] })
    const expected = {
      [`shop.${own('Money')}`]: 'unchanged 1',
      [`shop.${own('Address')}`]: 'new version 2',
      [`bills${count}-value`]: 'new version 2',
      [`carts${count}-value`]: 'unchanged 1'
    }
    expect(await outcomes([folder, '--dry-run'])).toEqual(expected)
    expect(await versionsOf(`shop.${own('Address')}`)).toEqual([1])
    expect(await outcomes([folder])).toEqual({
      ...expected,
      [`shop.${own('Address')}`]: 'registered 2',
      [`bills${count}-value`]: 'registered 2'
    })
  })

  test('leaves out what refers to a refused schema, and says why', async () => {
    await run(['register', folder])
    write('common/address.avsc', record(own('Address'), { street: 'string', deposit: own('Money'), zip: 'string' }))
    for (const dryRun of [['--dry-run'], []]) {
      const { code, out, err } = await run(['register', folder, ...dryRun])
      expect(code).toBe(100)
      expect(out).toMatch(/shop\.Address\d+ +refused/)
      expect(out).toMatch(/bills\d+-value +left out/)
      expect(err).toContain('READER_FIELD_MISSING_DEFAULT_VALUE value.zip')
      expect(err).toMatch(/LEFT_OUT it uses shop\.Address\d+ of .*address\.avsc, which was not registered/)
    }
  })

  test('a new version that cannot be read with the new version of what it refers to is refused in a dry run as well', async () => {
    await run(['register', folder])
    const address = record(own('Address'), { street: 'string', deposit: own('Money') })
    write('common/address.avsc', { ...address, doc: 'changed' })
    write(`bills${count}/value.avsc`, record(own('Bill'), { sum: own('Money'), to: own('Address') }))
    const { code, err } = await run(['register', folder, '--dry-run'])
    expect(code).toBe(100)
    expect(err).toMatch(/bills\d+\/value\.avsc:1:\d+ TYPE_MISMATCH value\.to/)
    expect(await versionsOf(`bills${count}-value`)).toEqual([1])
  })

  test('of which two define one type, or that go round in a circle, is refused before anything is registered', async () => {
    write('other/money.avsc', fixed(own('Money')))
    expect(await run(['register', folder])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/uses shop\.Money\d+, which both .*common\/money\.avsc and .*other\/money\.avsc define/)
    })
    folder = `${folder}-circle`
    write('a/value.avsc', record(own('A'), { b: ['null', own('B')] }))
    write('b/value.avsc', record(own('B'), { a: ['null', own('A')] }))
    expect(await run(['register', folder])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/in a circle.*: .*a\/value\.avsc -> .*b\/value\.avsc -> .*a\/value\.avsc;/)
    })
    expect(await versionsOf('a-value')).toMatchObject({ error_code: 40401 })
  })

  test('goes into a context, references included', async () => {
    expect(await outcomes([folder, '--context', 'sales'])).toMatchObject({
      [`:.sales:shop.${own('Money')}`]: 'registered 1',
      [`:.sales:bills${count}-value`]: 'registered 1'
    })
    expect(await versionsOf(`:.sales:bills${count}-value`)).toEqual([1])
    expect(await versionsOf(`bills${count}-value`)).toMatchObject({ error_code: 40401 })
    expect(await outcomes([folder, '--context', ':.sales:', '--dry-run'])).toMatchObject({
      [`:.sales:bills${count}-value`]: 'unchanged 1'
    })
  })
})

test('a dry run counts soft-deleted versions, as registering does', async () => {
  file('back/value.avsc', record('Back', { id: 'string' }))
  await run(['register', 'back'])
  await run(['subject', 'delete', 'back-value'])
  file('back/value.avsc', record('Back', { id: 'int' }))
  expect(await outcomes(['back', '--dry-run'])).toEqual({ 'back-value': 'new version 2' })
  expect(await outcomes(['back'])).toEqual({ 'back-value': 'registered 2' })
})

test('a dry run warns of what is compatible and changes the meaning of data', async () => {
  const moment = (logicalType: string) => record('Moment', { at: { type: 'long', logicalType } })
  file('moments/value.avsc', moment('timestamp-millis'))
  await run(['register', 'moments'])
  file('moments/value.avsc', moment('timestamp-micros'))
  const { code, out, err } = await run(['register', 'moments', '--dry-run'])
  expect(code).toBe(0)
  expect(out).toMatch(/moments-value +new version +2/)
  expect(err).toMatch(/moments\/value\.avsc:1:\d+ WARNING \w+ value\.at: v2 reads v1/)
})

test('a dry run says new, and refuses what is no schema', async () => {
  file('fresh/value.avsc', record('Fresh', { id: 'string' }))
  file('wrong/value.avsc', record('Wrong', { id: 'nothing' }))
  file('garbled/value.avsc', '{"type":')
  expect(await outcomes(['fresh', 'wrong', 'garbled', '--dry-run'])).toEqual({
    'fresh-value': 'new 1',
    'wrong-value': 'refused null',
    'garbled-value': 'refused null'
  })
  const { code, err } = await run(['register', 'wrong', 'garbled', '--dry-run'])
  expect(code).toBe(100)
  expect(err).toMatch(/wrong\/value\.avsc INVALID_SCHEMA .*shop\.nothing is not defined/)
  expect(err).toMatch(/garbled\/value\.avsc INVALID_SCHEMA .*not JSON/)
  expect(await versionsOf('fresh-value')).toMatchObject({ error_code: 40401 })
})

test('--normalize takes a schema that differs in form alone for the same', async () => {
  const schema = { type: 'record', name: 'Form', fields: [{ name: 'id', type: { type: 'string', zz: '1', aa: '2' } }] }
  file('form/value.avsc', schema)
  expect(await outcomes(['form', '--normalize'])).toEqual({ 'form-value': 'registered 1' })
  file('form/value.avsc', { ...schema, fields: [{ name: 'id', type: { type: 'string', aa: '2', zz: '1' } }] })
  expect(await outcomes(['form', '--normalize'])).toEqual({ 'form-value': 'unchanged 1' })
})
