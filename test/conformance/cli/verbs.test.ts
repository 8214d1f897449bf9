/** The assay command as a user runs it: its own process, its exit codes, what it says. */
import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

let served: Served
const { run, file, directory } = commandLine(() => served, { ownProcess: true })

const schemaFile = (path: string, fields: object[]): string => file(path, { type: 'record', name: 'Payment', fields })

const id = { name: 'id', type: 'string' }
const amount = { name: 'amount', type: 'double' }

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

describe('register and check', () => {
  test('a schema is registered once, found unchanged after that, and refused with every incompatibility when it breaks', async () => {
    const good = schemaFile('payments/value.avsc', [id, amount])
    expect((await run(['check', good])).out).toMatch(/payments-value\s+new/)
    expect(await run(['register', good])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/payments-value\s+registered\s+1/)
    })
    expect(await run(['register', good])).toMatchObject({ code: 0, out: expect.stringMatching(/payments-value\s+unchanged\s+1/) })

    const bad = schemaFile('payments/value.avsc', [id, { name: 'amount', type: 'int' }, { name: 'currency', type: 'string' }])
    for (const verb of ['check', 'register']) {
      const { code, err } = await run([verb, bad])
      expect(code, verb).toBe(100)
      expect(err, verb).toMatch(/value\.avsc:1:\d+ TYPE_MISMATCH value\.amount: v2 cannot read v1/)
      expect(err, verb).toContain('/fields/1/type')
      expect(err, verb).toContain('READER_FIELD_MISSING_DEFAULT_VALUE value.currency')
      expect(err, verb).toContain('Add "default": "" to the field currency')
    }
    // Nothing of it was registered.
    const versions = await (await fetch(`${served.http}/subjects/payments-value/versions`)).json()
    expect(versions).toEqual([1])
  })

  test('REST refuses the same schema with 409 and every incompatibility', async () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'Payment',
      fields: [id, { name: 'amount', type: 'int' }, { name: 'currency', type: 'string' }]
    })
    const answer = await fetch(`${served.http}/subjects/payments-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema })
    })
    const { error_code, message } = (await answer.json()) as { error_code: number; message: string }
    expect([answer.status, error_code]).toEqual([409, 40901])
    expect(message).toContain("path '/fields/1/type'")
    expect(message).toContain("at path '/fields/2'")
  })

  test('against a folder, a file and a git revision, without a registry', async () => {
    const nowhere = { env: { ASSAY_REGISTRY: 'http://127.0.0.1:9' } }
    const before = schemaFile('before/orders/value.avsc', [id])
    const after = schemaFile('orders/value.avsc', [id, amount])
    for (const against of ['dir:before', `file:${before}`]) {
      expect(await run(['check', after, '--against', against], nowhere), against).toMatchObject({ code: 100 })
      expect(await run(['check', after, '--against', against, '--level', 'forward'], nowhere), against).toMatchObject({ code: 0 })
    }
    const git = (...args: string[]) =>
      spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: directory })
    git('init', '-q')
    git('add', 'orders')
    git('commit', '-qm', 'before')
    expect((await run(['check', 'orders', '--against', 'git:HEAD'], nowhere)).out).toMatch(/orders-value\s+unchanged/)
    schemaFile('orders/value.avsc', [id, amount, { name: 'more', type: 'int' }])
    expect(await run(['check', 'orders', '--against', 'git:HEAD'], nowhere)).toMatchObject({ code: 100 })
  })

  test('a text that is no schema is told with its place', async () => {
    file('broken.avsc', '{"type":"record","name":"R","fields":[{"name":"a","type":"nothing"}]}')
    const { code, err } = await run(['check', '--subject', 'r-value', 'broken.avsc'])
    expect(code).toBe(100)
    expect(err).toMatch(/INVALID_SCHEMA.*nothing/s)
  })
})

test('generate writes files, and --check says when they are stale', async () => {
  schemaFile('shop/value.avsc', [id])
  const args = ['generate', 'shop', '--out', 'gen']
  expect(await run([...args, '--check'])).toMatchObject({ code: 100 })
  expect(await run(args)).toMatchObject({ code: 0 })
  expect(await run([...args, '--check'])).toMatchObject({ code: 0 })
  schemaFile('shop/value.avsc', [id, amount])
  expect(await run([...args, '--check'])).toMatchObject({ code: 100, out: expect.stringContaining('changed') })
})

describe('topics and events', () => {
  test('a topic is made, listed, described and deleted', async () => {
    const create = ['topic', 'create', 'tried', '--partitions', '2', '--set', 'assay.value.validation=deep']
    expect(await run(create)).toMatchObject({ code: 0 })
    expect(await run(create)).toMatchObject({ code: 1, err: expect.stringContaining('TOPIC_ALREADY_EXISTS') })
    const listed = JSON.parse((await run(['topic', 'list', '-o', 'json'])).out) as { topic: string; partitions: number }[]
    expect(listed).toContainEqual({ topic: 'tried', partitions: 2 })
    expect((await run(['topic', 'describe', 'tried'])).out).toMatch(/assay\.value\.validation\s+deep\s+for this topic/)
    expect(await run(['topic', 'delete', 'tried'])).toMatchObject({ code: 0 })
    expect(await run(['topic', 'describe', 'tried'])).toMatchObject({
      code: 1,
      err: expect.stringContaining("Topic 'tried' not found")
    })
  })

  test('an unknown setting of a topic is refused by name', async () => {
    expect(await run(['topic', 'create', 'x', '--set', 'foo=1'])).toMatchObject({
      code: 1,
      err: expect.stringContaining("'foo'")
    })
  })

  test('events go in as JSON lines and come out as JSON; one that does not fit is refused with its path', async () => {
    await run(['topic', 'create', 'payments'])
    expect((await run(['produce', 'payments'], { input: '{"id":"a","amount":1}\n\n{"id":"b","amount":2.5}\n' })).out).toBe(
      'payments 0@0\npayments 0@1\n'
    )
    const refused = await run(['produce', 'payments'], { input: '{"id":"c","amount":"much"}\n' })
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('value.amount') })
    const keyed = await run(['produce', 'payments', '--envelope', '-o', 'json'], {
      input: '{"key":"k","value":{"id":"d","amount":4},"headers":{"h":"1"}}'
    })
    expect(JSON.parse(keyed.out)).toMatchObject({ topic: 'payments', partition: 0, offset: 2 })
    const tailed = await run(['tail', 'payments', '--from', 'earliest', '--no-follow', '-o', 'json'])
    const events = tailed.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { key: unknown; value: unknown; headers: unknown })
    expect(events.map(({ value }) => value)).toEqual([
      { id: 'a', amount: 1 },
      { id: 'b', amount: 2.5 },
      { id: 'd', amount: 4 }
    ])
    expect(events[2]).toMatchObject({ key: 'k', headers: { h: '1' } })
    expect((await run(['tail', 'payments', '--from', 'earliest', '-n', '1'])).out).toMatch(/^0@0 /)
  })
})

describe('mistakes', () => {
  test.each<[string, string[], number, RegExp]>([
    ['an unknown verb', ['registr'], 2, /Did you mean register/],
    ['an unknown flag', ['serve', '--htp', 'x'], 2, /Did you mean --http/],
    ['an address that is none', ['serve', '--http', 'here'], 2, /--http = here: expected HOST:PORT/],
    ['listening beyond loopback', ['serve', '--http', '0.0.0.0:0', '--kafka', '127.0.0.1:0'], 2, /--allow-remote/],
    ['a file that is not there', ['register', 'nowhere.avsc'], 2, /nowhere\.avsc is not there/],
    ['a cursor that is none', ['tail', 'payments', '--from', 'yesterday'], 2, /--from yesterday: expected/],
    [
      'no registry there',
      ['register', '--registry', 'http://127.0.0.1:9', '--subject', 'a', 'payments/value.avsc'],
      3,
      /cannot be reached/
    ],
    ['no broker there', ['topic', 'list', '--bootstrap', '127.0.0.1:9'], 3, /cannot be reached/]
  ])('%s', async (_name, args, code, says) => {
    const ran = await run(args)
    expect(ran.err).toMatch(says)
    expect(ran.code).toBe(code)
  })

  test('a second server on one data directory is refused, and so is a port in use', async () => {
    const second = await run(['serve', '--data', served.directory, '--http', '127.0.0.1:0', '--kafka', '127.0.0.1:0'])
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining('in use by another process') })
    const taken = await run(['serve', '--data', 'other', '--http', new URL(served.http).host, '--kafka', '127.0.0.1:0'])
    expect(taken).toMatchObject({ code: 2, err: expect.stringContaining('is in use; name another with --http') })
  })
})

test('the command starts under another Node of this machine by handing over to the pinned one', async context => {
  const others = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(folder => !folder.includes('node_modules'))
    .map(folder => join(folder, 'node'))
  const other = others.find(node => {
    const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
    return status === 0 && stdout.trim() !== process.version
  })
  if (!other) return context.skip('no other Node on the path')
  const { code, out } = await run(['version', '-o', 'json'], { node: other })
  expect(code).toBe(0)
  expect(Number((JSON.parse(out) as { node: string }).node.split('.')[0])).toBeGreaterThanOrEqual(24)
})
