import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { openLog, type PartitionLog } from '@assay/log'
import { decodeBatch, encodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import { memoryStore, type Store } from '@assay/store'
import { afterEach, describe, expect, test } from 'vitest'
import { openRegistry, type Registry } from './registry.ts'
import { schemaSource } from './schema-source.ts'
import { openTestLog } from './test/log.ts'

const opened: Registry[] = []
afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close()
})

async function open(log?: PartitionLog): Promise<{ registry: Registry; log: PartitionLog }> {
  const used = log ?? (await openTestLog())
  const registry = await openRegistry({ log: used, clock: systemClock })
  opened.push(registry)
  return { registry, log: used }
}

/** Everything a client could ask, as one value. */
function answers(registry: Registry): unknown {
  const subjects = registry.subjects({ deleted: true })
  return {
    facts: registry.facts(),
    global: registry.config(null),
    subjects: subjects.map(subject => ({
      subject,
      config: registry.config(subject),
      versions: registry.versions(subject, { deletedAsNegative: true, deleted: true }).map(number => {
        const { schema, ...version } = registry.version(subject, Math.abs(number), { deleted: true })
        return { ...version, number, id: schema.id, text: schema.text, fingerprint: schema.fingerprint }
      })
    }))
  }
}

async function recordsOf(log: PartitionLog): Promise<{ key: string; value: string | null }[]> {
  const batches = await log.read(0, { bytesMax: 1 << 30 })
  return batches
    .flatMap(batch => decodeBatch(batch, 1 << 20))
    .map(({ key, value }) => ({ key: String(key), value: value === null ? null : String(value) }))
}

async function write(log: PartitionLog, records: { key: string | null; value: string | null }[]): Promise<void> {
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))
  await log.append(
    encodeBatch({ records: records.map(({ key, value }) => ({ key: bytes(key), value: bytes(value) })), baseTimestampMs: 1 })
  )
}

const record = (...fields: string[]): string =>
  `{"type":"record","name":"R","fields":[${fields.map(name => `{"name":"${name}","type":"int","default":0}`).join(',')}]}`

describe('schema IDs', () => {
  test('begin at 1, are given once per content, and are the same under every subject', async () => {
    const { registry } = await open()
    expect(await registry.register('a', { schema: '"int"' })).toMatchObject({ id: 1, version: 1 })
    expect(await registry.register('b', { schema: '"string"' })).toMatchObject({ id: 2, version: 1 })
    expect(await registry.register('c', { schema: ' { "type" : "int" } ' })).toMatchObject({ id: 1, version: 1 })
    expect(registry.versionsById(1).map(({ subject }) => subject)).toEqual(['a', 'c'])
  })

  test('are not given again after a hard delete, also when compaction has taken the deleted record away', async () => {
    const { registry, log } = await open()
    await registry.register('a', { schema: '"int"' })
    await registry.register('b', { schema: '"string"' })
    await registry.deleteSubject('b')
    await registry.deleteSubject('b', { permanent: true })
    expect(() => registry.schemaById(2)).toThrow('Schema 2 not found')

    // Compaction keeps the last value of each key, and in the end no tombstones.
    const last = new Map((await recordsOf(log)).map(({ key, value }) => [key, value]))
    const compacted = await openTestLog()
    await write(
      compacted,
      [...last].filter(([, value]) => value !== null).map(([key, value]) => ({ key, value }))
    )
    const { registry: after } = await open(compacted)
    expect(after.subjects({ deleted: true })).toEqual(['a'])
    expect(await after.register('b', { schema: '"string"' })).toMatchObject({ id: 3, version: 1 })
  })

  test('200 registrations at the same time get unique IDs, and the same ones when repeated', async () => {
    const { registry, log } = await open()
    const schemas = Array.from({ length: 100 }, (_, n) => `{"type":"fixed","name":"F${n}","size":1}`)
    const first = await Promise.all(
      [...schemas, ...schemas].map((schema, n) => registry.register(`s${n % 150}`, { schema }, { force: true }))
    )
    const idOf = new Map(schemas.map((schema, n) => [schema, first[n]!.id]))
    expect(new Set(idOf.values()).size).toBe(100)
    expect(Math.max(...idOf.values())).toBe(100)
    for (const [n, { id }] of first.entries()) expect(id).toBe(idOf.get(schemas[n % 100]!))
    const second = await Promise.all(schemas.map((schema, n) => registry.register(`s${n}`, { schema })))
    expect(second.map(({ id }) => id)).toEqual(schemas.map(schema => idOf.get(schema)))
    const end = log.logEndOffset
    await Promise.all(schemas.map((schema, n) => registry.register(`s${n}`, { schema })))
    expect(log.logEndOffset, 'a registration that changes nothing writes nothing').toBe(end)
  })
})

test('a restart from the same log gives the same answers', async () => {
  const { registry, log } = await open()
  await registry.setConfig(null, { compatibility: 'full' })
  await registry.setConfig('none', { compatibility: 'NONE', normalize: true })
  await registry.register('r', { schema: record('a') })
  await registry.register('r', { schema: record('a', 'b') })
  await registry.register('other', { schema: record('a') })
  await registry.deleteVersion('r', 1)
  await registry.register('gone', { schema: '"bytes"' })
  await registry.deleteSubject('gone')
  await registry.deleteSubject('gone', { permanent: true })
  await registry.register('soft', { schema: '"long"' })
  await registry.deleteSubject('soft')
  const before = answers(registry)
  await registry.close()

  const { registry: after } = await open(log)
  expect(answers(after)).toEqual(before)
  expect(after.config(null)).toEqual({ compatibilityLevel: 'FULL' })
  expect(await after.register('r', { schema: record('a', 'b', 'c') })).toMatchObject({ version: 3, id: 5 })
})

/** Mulberry32: the same numbers from the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const SEED = Number(process.env['ASSAY_SEED'] ?? 1)

test.each([SEED, SEED + 1, SEED + 2, SEED + 3])(
  'random histories: the live state is the replayed state, and an ID keeps its meaning (ASSAY_SEED=%i)',
  async seed => {
    const below = randomFrom(seed)
    const { registry, log } = await open()
    const meaning = new Map<number, string>()
    const pick = <T>(values: readonly T[]): T => values[below(values.length)]!
    const step = async (): Promise<unknown> => {
      const subject = pick(['a', 'b', 'c'])
      const version = pick([1, 2, 3, 'latest'] as const)
      const permanent = below(2) === 0
      const kind = below(10)
      if (kind < 5) {
        const references = below(4) === 0 ? [{ name: 'x', subject: pick(['a', 'b', 'c']), version: -1 }] : []
        const { id, content } = await registry.register(subject, { schema: record(pick(['p', 'q', 'r', 's'])), references })
        const known = meaning.get(id)
        const means = JSON.stringify(content)
        expect(known ?? means, `schema ID ${id} of seed ${seed}`).toBe(means)
        meaning.set(id, means)
        return
      }
      if (kind < 7) return registry.deleteVersion(subject, version, { permanent })
      if (kind < 9) return registry.deleteSubject(subject, { permanent })
      return below(2) === 0
        ? registry.setConfig(subject, { compatibility: pick(['NONE', 'FULL']) })
        : registry.deleteConfig(subject)
    }
    for (let n = 0; n < 150; n++) {
      await step().catch((error: unknown) => {
        if (!isAssayError(error)) throw error
      })
    }
    const before = answers(registry)
    await registry.close()
    const { registry: after } = await open(log)
    expect(answers(after)).toEqual(before)
    expect(meaning.size).toBeGreaterThan(3)
  }
)

test('the records of a life, byte for byte', async () => {
  const { registry, log } = await open()
  await registry.setConfig('s', { compatibility: 'none' })
  await registry.register('s', { schema: '"int"' })
  await registry.register('s', { schema: '"string"' })
  await registry.deleteVersion('s', 1)
  await registry.deleteSubject('s')
  await registry.deleteSubject('s', { permanent: true })
  const int = '"md5":"71JOobkecxc9k4reNsHbMg==","schema":"\\"int\\""'
  const string = '"md5":"CV1xzxJVa51eMwrVdbPfXQ==","schema":"\\"string\\""'
  expect(await recordsOf(log)).toEqual([
    { key: '{"keytype":"CONFIG","subject":"s","magic":0}', value: '{"subject":"s","compatibilityLevel":"NONE"}' },
    {
      key: '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
      value: `{"subject":"s","version":1,"id":1,${int},"deleted":false}`
    },
    {
      key: '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}',
      value: `{"subject":"s","version":2,"id":2,${string},"deleted":false}`
    },
    {
      key: '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
      value: `{"subject":"s","version":1,"id":1,${int},"deleted":true}`
    },
    { key: '{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}', value: '{"subject":"s","version":2}' },
    { key: '{"keytype":"NOOP","magic":0}', value: '{"maxId":2}' },
    { key: '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}', value: null },
    { key: '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', value: null },
    { key: '{"keytype":"CONFIG","subject":"s","magic":0}', value: null }
  ])
})

describe('deletes', () => {
  test('registering again after a soft delete gives the next version and takes the old one away', async () => {
    const { registry } = await open()
    await registry.register('s', { schema: '"int"' })
    const parsed = schemaSource(registry).schemaById(1)
    await registry.deleteSubject('s')
    expect(await registry.register('s', { schema: '"int"' })).toMatchObject({ id: 1, version: 2 })
    expect(registry.versions('s', { deleted: true })).toEqual([2])
    expect(schemaSource(registry).schemaById(1), 'the parsed schema of an ID is one object').toBe(parsed)
  })

  test('a hard delete of the last version frees its number and the settings; a soft delete keeps them', async () => {
    const { registry } = await open()
    await registry.setConfig('s', { compatibility: 'NONE' })
    await registry.register('s', { schema: '"int"' })
    await registry.deleteVersion('s', 1)
    expect(registry.config('s')).toEqual({ compatibilityLevel: 'NONE' })
    await registry.deleteVersion('s', 1, { permanent: true })
    expect(registry.config('s')).toBeUndefined()
    expect(registry.facts()).toMatchObject({ subjects: 0, schemas: 0, maxSchemaId: 1 })
    expect(await registry.register('s', { schema: '"int"' })).toMatchObject({ id: 2, version: 1 })
  })
})

describe('references', () => {
  const money = '{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"cents","type":"long"}]}'
  const order = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"price","type":"shop.Money"}]}'
  const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]

  test('put a type in scope, are stored, and protect what they lead to', async () => {
    const { registry, log } = await open()
    await registry.register('money', { schema: money })
    const { id } = await registry.register('order', {
      schema: order,
      references: [{ name: 'shop.Money', subject: 'money', version: -1 }]
    })
    expect(registry.schemaById(id).schema).toMatchObject({ references, text: order.replace('shop.Money', 'Money') })
    expect(registry.referencedBy('money', 1)).toEqual([id])
    await expect(registry.deleteVersion('money', 1)).rejects.toMatchObject({ code: 'REFERENCE_EXISTS' })
    await expect(registry.deleteSubject('money')).rejects.toMatchObject({
      message: 'One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=money,version=1}.'
    })

    await registry.deleteSubject('order')
    await registry.deleteSubject('money')
    // The order is only hidden: its money must not go.
    await expect(registry.deleteSubject('money', { permanent: true })).rejects.toMatchObject({ code: 'REFERENCE_EXISTS' })
    const { registry: after } = await open(log)
    expect(schemaSource(after).schemaById(id)).toMatchObject({ kind: 'record', name: 'shop.Order' })
    await after.deleteSubject('order', { permanent: true })
    expect(await after.deleteSubject('money', { permanent: true })).toEqual([1])
  })

  test('to nothing are refused', async () => {
    const { registry } = await open()
    await expect(registry.register('order', { schema: order, references })).rejects.toMatchObject({
      code: 'INVALID_SCHEMA',
      message: expect.stringContaining('No schema reference found for subject "money" and version 1')
    })
  })

  test('in a circle, which only a foreign log can hold, are told and not followed', async () => {
    const log = await openTestLog()
    const circle = (subject: string, other: string, id: number) => ({
      key: `{"keytype":"SCHEMA","subject":"${subject}","version":1,"magic":1}`,
      value: JSON.stringify({
        subject,
        version: 1,
        id,
        references: [{ name: other, subject: other, version: 1 }],
        schema: `{"type":"record","name":"${subject}","fields":[{"name":"f","type":"${other}"}]}`
      })
    })
    await write(log, [circle('A', 'B', 1), circle('B', 'A', 2)])
    const { registry } = await open(log)
    expect(registry.schemaById(1).schema.text).toContain('"A"')
    expect(schemaSource(registry).schemaById(1)).toBeUndefined()
  })

  test('in a chain are bounded', async () => {
    const { registry } = await open()
    await registry.register('t0', { schema: '{"type":"record","name":"T0","fields":[]}' })
    let refused = 0
    for (let n = 1; n <= 70 && refused === 0; n++) {
      const schema = `{"type":"record","name":"T${n}","fields":[]}`
      await registry
        .register(`t${n}`, { schema, references: [{ name: `T${n - 1}`, subject: `t${n - 1}`, version: 1 }] })
        .catch(error => {
          expect(error).toMatchObject({ code: 'INVALID_SCHEMA', message: expect.stringContaining('chain of more than 64') })
          refused = n
        })
    }
    expect(refused).toBe(65)
  })
})

describe('metadata and rules', () => {
  test('count for identity and are inherited from the latest version', async () => {
    const { registry } = await open()
    await registry.register('s', { schema: '"int"' })
    expect(await registry.register('s', { schema: '"int"', metadata: { properties: { owner: 'a' } } })).toMatchObject({
      id: 2,
      version: 2
    })
    expect(await registry.register('s', { schema: '"int"' }), 'what is there is not completed').toMatchObject({
      id: 1,
      version: 1
    })
    expect(await registry.register('s', { ruleSet: { domainRules: [{ name: 'r', type: 'CEL', mode: 'WRITE' }] } })).toMatchObject(
      {
        id: 3,
        version: 3,
        content: { text: '"int"', metadata: { properties: { owner: 'a' } } }
      }
    )
  })

  test('an asked version is the next one and is written down', async () => {
    const { registry } = await open()
    await expect(registry.register('s', { schema: '"int"', version: 2 })).rejects.toMatchObject({ code: 'INVALID_SCHEMA' })
    const registered = await registry.register('s', { schema: '"int"', version: 1 })
    expect(registered.content.metadata).toEqual({ properties: { 'confluent:version': '1' } })
    expect(await registry.register('s', { schema: '"int"' }), 'the same but for the number').toMatchObject({ id: 1, version: 1 })
  })
})

describe('a log that others write to', () => {
  test('is followed, and odd records are passed over', async () => {
    const { registry, log } = await open()
    await registry.register('s', { schema: '"int"' })
    await write(log, [
      { key: null, value: 'x' },
      { key: '{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}', value: '{"id":1,"schema":"\\"long\\""}' },
      { key: '{"keytype":"SCHEMA","subject":"t","version":2,"magic":1}', value: '{"id":9,"schema":"\\"long\\""}' },
      { key: '{"keytype":"MODE","subject":"locked","magic":0}', value: '{"subject":"locked","mode":"READONLY"}' }
    ])
    await registry.catchUp()
    expect(registry.schemaById(1).schema.text, 'an ID keeps its first meaning').toBe('"int"')
    expect(registry.versions('t')).toEqual([2])
    expect(await registry.register('u', { schema: '"bytes"' })).toMatchObject({ id: 10 })
    await expect(registry.register('locked', { schema: '"int"' })).rejects.toMatchObject({
      code: 'OPERATION_NOT_PERMITTED',
      message: 'Subject locked in context . is in read-only mode'
    })
    await expect(registry.setConfig('locked', { compatibility: 'NONE' })).rejects.toMatchObject({
      code: 'OPERATION_NOT_PERMITTED'
    })
  })

  test('may leave no ID to give', async () => {
    const log = await openTestLog()
    await write(log, [
      { key: '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', value: '{"id":2147483647,"schema":"\\"int\\""}' }
    ])
    const { registry } = await open(log)
    expect(await registry.register('t', { schema: '"int"' })).toMatchObject({ id: 2147483647 })
    await expect(registry.register('t', { schema: '"long"' })).rejects.toMatchObject({ code: 'OPERATION_NOT_PERMITTED' })
  })

  test('settings that are not acted on are kept when others change', async () => {
    const log = await openTestLog()
    await write(log, [
      { key: '{"keytype":"CONFIG","subject":"s","magic":0}', value: '{"subject":"s","alias":"x","compatibilityLevel":"FULL"}' }
    ])
    const { registry } = await open(log)
    await registry.setConfig('s', { compatibility: 'backward' })
    expect((await recordsOf(log)).at(-1)?.value).toBe('{"subject":"s","alias":"x","compatibilityLevel":"BACKWARD"}')
  })
})

describe('what the gate asks', () => {
  test('IDs of soft-deleted versions stay known under their subject; live questions see live versions', async () => {
    const { registry } = await open()
    await registry.register('s', { schema: '"int"' })
    const source = schemaSource(registry)
    expect(source.versionOf('s', 'latest')).toEqual({
      subject: 's',
      version: 1,
      id: 1,
      text: '"int"',
      schema: source.schemaById(1)
    })
    await registry.deleteSubject('s')
    expect(source.isUnder(1, 's')).toBe(true)
    expect(source.isUnder(1, 't')).toBe(false)
    expect(source.hasSubject('s')).toBe(false)
    expect(source.versionOf('s', 1)).toBeUndefined()
    expect(source.schemaById(1)).toMatchObject({ kind: 'int' })
    expect(source.schemaById(2)).toBeUndefined()
  })
})

test('a write that the store refuses changes nothing, and later ones are refused, too', async () => {
  const journal = memoryStore()
  let fails = false
  const failing: Store = {
    ...journal,
    batch: (ops, options) =>
      fails ? Promise.reject(new AssayError('STORE_FAILED', { action: 'append' })) : journal.batch(ops, options)
  }
  const { registry } = await open(await openTestLog({ journal: failing }))
  await registry.register('s', { schema: '"int"' })
  const before = answers(registry)
  fails = true
  await expect(registry.register('t', { schema: '"int"' })).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await expect(registry.deleteSubject('s')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(answers(registry)).toEqual(before)
  expect(registry.version('s', 'latest').schema.id, 'reads go on').toBe(1)
  fails = false
  // What is in memory now is what is on disk.
  const { registry: after } = await open(await openTestLog({ journal }))
  expect(answers(after)).toEqual(before)
  expect(await after.register('t', { schema: '"long"' })).toMatchObject({ id: 2 })
})

test('a restart from the same directory gives the same answers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'assay-registry-'))
  const parts = { directory, clock: systemClock, logger: silentLogger }
  const key = { topicId: 'a'.repeat(32), partition: 0 }
  try {
    const first = await openLog(parts)
    const registry = await openRegistry({ log: first.partition(key), clock: systemClock })
    await Promise.all(['a', 'b', 'c', 'd'].map((subject, n) => registry.register(subject, { schema: record(`f${n % 3}`) })))
    await registry.setConfig('a', { compatibility: 'FULL' })
    await registry.deleteSubject('b')
    const before = answers(registry)
    await registry.close()
    await first.close()

    const second = await openLog(parts)
    const after = await openRegistry({ log: second.partition(key), clock: systemClock })
    expect(answers(after)).toEqual(before)
    expect(await after.register('b', { schema: record('f9') })).toMatchObject({ id: 4, version: 2 })
    await after.close()
    await second.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a closed registry takes no more writes', async () => {
  const { registry } = await open()
  const last = registry.register('s', { schema: '"int"' })
  await registry.close()
  expect(await last).toMatchObject({ id: 1 })
  await expect(registry.register('s', { schema: '"int"' })).rejects.toMatchObject({ code: 'STORE_FAILED' })
})

test('a writer that is too far behind says so', async () => {
  const log = await openTestLog()
  const registry = await openRegistry({ log, clock: systemClock, limits: { queuedWritesMax: 2 } })
  opened.push(registry)
  const results = await Promise.allSettled(['a', 'b', 'c'].map(subject => registry.register(subject, { schema: '"int"' })))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(results[2]).toMatchObject({ reason: { code: 'REGISTRY_BUSY' } })
})
