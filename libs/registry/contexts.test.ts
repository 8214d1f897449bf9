import { systemClock } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { nameWithin, normalizedName, prefixFilter, readContext } from './qualified.ts'
import { openRegistry, type Registry } from './registry.ts'
import { openTestLog } from './test/log.ts'

const opened: Registry[] = []
afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close()
})

async function open(log?: Awaited<ReturnType<typeof openTestLog>>): Promise<Registry> {
  const registry = await openRegistry({ log: log ?? (await openTestLog()), clock: systemClock })
  opened.push(registry)
  return registry
}

const fixed = (size: number): string => JSON.stringify({ type: 'fixed', name: 'F', size })

describe('names', () => {
  test.each([
    ['orders', 'orders'],
    [':.:orders', 'orders'],
    [':.sales:orders', ':.sales:orders'],
    [':.sales', ':.sales:'],
    [':.sales:', ':.sales:'],
    [':sales:orders', ':sales:orders'],
    [':.a:b:c', ':.a:b:c'],
    [':.::.:x', 'x'],
    [':.::.a:x', ':.a:x']
  ])('%s is %s', (name, normal) => {
    expect(normalizedName(name)).toBe(normal)
  })

  test.each([
    ['orders', 'money', 'money'],
    [':.sales:orders', 'money', ':.sales:money'],
    [':.sales:orders', ':.hr:money', ':.hr:money'],
    ['orders', ':.hr:money', ':.hr:money']
  ])('within %s, %s is %s', (parent, name, meant) => {
    expect(nameWithin(parent, name)).toBe(meant)
  })

  const names = ['a', 'b', ':.sales:a', ':.sales:b', ':.sap:a']
  test.each([
    ['', ['a', 'b']],
    ['a', ['a']],
    [':*:', names],
    [':*:a', ['a', ':.sales:a', ':.sap:a']],
    [':.sales:', [':.sales:a', ':.sales:b']],
    [':.sales:b', [':.sales:b']],
    [':.sa', [':.sales:a', ':.sales:b', ':.sap:a']],
    [':.:a', ['a']]
  ])('the prefix %s', (prefix, found) => {
    expect(names.filter(prefixFilter(prefix))).toEqual(found)
  })

  test.each([
    ['sales', '.sales'],
    ['.sales', '.sales'],
    [':.sales:', '.sales'],
    [':.:', '.']
  ])('context %s is %s', (text, context) => {
    expect(readContext(text)).toBe(context)
  })

  test('a context with a colon is none', () => {
    expect(() => readContext('a:b')).toThrow('cannot hold a colon')
  })
})

describe('contexts', () => {
  test('have IDs, subjects and settings of their own, and are there again after a restart', async () => {
    const log = await openTestLog()
    const registry = await open(log)
    expect(await registry.register('s', { schema: fixed(1) })).toMatchObject({ id: 1, version: 1 })
    expect(await registry.register(':.c:s', { schema: fixed(2) })).toMatchObject({ id: 1, version: 1 })
    expect(await registry.register(':.c:t', { schema: fixed(1) })).toMatchObject({ id: 2 })
    await registry.setConfig(':.c:', { compatibility: 'NONE' })
    const check = async (now: Registry): Promise<void> => {
      expect(now.contexts()).toEqual(['.', '.c'])
      expect(now.subjects()).toEqual([':.c:s', ':.c:t', 's'])
      expect(now.subjects({ prefix: '' })).toEqual(['s'])
      expect(now.schemaById(1).schema.text).toContain('1')
      expect(now.schemaById(1, ':.c:').schema.text).toContain('2')
      expect(now.schemaById(2, 't').version.subject, 'a plain subject is looked for everywhere').toBe(':.c:t')
      expect(now.maxSchemaId(':.c:')).toBe(2)
      expect(now.configInScope(':.c:new').compatibilityLevel).toBe('NONE')
      expect(now.configInScope('new').compatibilityLevel).toBe('BACKWARD')
      expect(now.idsOfGuid((await now.lookUp('s', { schema: fixed(1) })).guid)).toEqual([
        { context: '.', id: 1 },
        { context: '.c', id: 2 }
      ])
    }
    await check(registry)
    await registry.close()
    await check(await open(log))
  })

  test('a look-up, and a version, of a plain name that is not there are found in another context', async () => {
    const registry = await open()
    await registry.register(':.c:s', { schema: fixed(2) })
    expect(await registry.lookUp('s', { schema: fixed(2) })).toMatchObject({ subject: ':.c:s', version: 1 })
    expect(registry.version('s', 'latest')).toMatchObject({ subject: ':.c:s' })
    expect(() => registry.version('t', 'latest')).toThrow("Subject 't' not found.")
  })

  test('references stay within their context unless they name another', async () => {
    const registry = await open()
    await registry.register('money', { schema: fixed(8) })
    const references = [{ name: 'F', subject: 'money', version: 1 }]
    const schema = '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'
    await expect(registry.register(':.c:r', { schema, references })).rejects.toThrow('No schema reference found')
    await registry.register(':.c:money', { schema: fixed(4) })
    const { id } = await registry.register(':.c:r', { schema, references })
    expect(registry.referencedBy(':.c:money', 1)).toEqual([id])
    expect(registry.referencedBy('money', 1)).toEqual([])
    await registry.register(':.c:q', { schema, references: [{ name: 'F', subject: ':.d:money', version: 1 }] }).catch(() => {})
    await expect(registry.deleteVersion(':.c:money', 1)).rejects.toThrow('One or more references exist')
    expect(await registry.deleteVersion('money', 1)).toBe(1)
  })

  test('is deleted when it is empty, and its IDs are never given again', async () => {
    const registry = await open()
    await registry.register(':.c:s', { schema: fixed(2) })
    await expect(registry.deleteContext('.c')).rejects.toThrow("The specified context ':.c:' is not empty.")
    await registry.deleteSubject(':.c:s')
    await registry.deleteSubject(':.c:s', { permanent: true })
    await registry.deleteContext('.c')
    expect(registry.contexts()).toEqual(['.'])
    expect(await registry.register(':.c:s', { schema: fixed(3) })).toMatchObject({ id: 2, version: 1 })
    expect(registry.contexts()).toEqual(['.', '.c'])
  })

  test.each([
    [':.c:', 'it is empty'],
    [':.__GLOBAL:s', 'reserved for settings'],
    [':.c:__EMPTY', 'the name is reserved'],
    [':*:s', 'not a pattern']
  ])('nothing is registered under %s', async (name, reason) => {
    const registry = await open()
    await expect(registry.register(name, { schema: fixed(2) })).rejects.toThrow(reason)
  })
})

describe('settings', () => {
  test('come from the subject, then from its context, then from the context for all', async () => {
    const registry = await open()
    await registry.setConfig(':.__GLOBAL:', { compatibility: 'full', normalize: true })
    expect(registry.configInScope('s')).toMatchObject({ compatibilityLevel: 'FULL', normalize: true })
    await registry.setConfig(null, { compatibility: 'forward' })
    expect(registry.configInScope('s')).toMatchObject({ compatibilityLevel: 'FORWARD', normalize: true })
    expect(registry.configInScope(':.c:s').compatibilityLevel).toBe('FULL')
    await registry.setConfig('s', { compatibilityGroup: 'major' })
    expect(registry.configInScope('s')).toMatchObject({ compatibilityLevel: 'FORWARD', compatibilityGroup: 'major' })
    await registry.setConfig('s', { compatibilityGroup: null, alias: 't' })
    expect(registry.config('s')).toEqual({ compatibilityLevel: 'FORWARD', alias: 't' })
    expect(registry.aliased('s')).toBe('t')
    expect(registry.aliased('t')).toBe('t')
    await registry.setConfig(':.c:s', { alias: 't' })
    expect(registry.aliased(':.c:s')).toBe(':.c:t')
  })

  test('default and override metadata and rules lie beneath and on top of what is registered', async () => {
    const registry = await open()
    const rule = (name: string, expr: string) => ({ name, type: 'CEL', mode: 'WRITE', expr })
    await registry.setConfig('s', {
      defaultMetadata: { properties: { owner: 'nobody', team: 'core' } },
      overrideMetadata: { properties: { legal: 'yes' } },
      defaultRuleSet: { domainRules: [rule('a', 'default'), rule('b', 'default')] },
      overrideRuleSet: { domainRules: [rule('c', 'override')] }
    })
    const { content } = await registry.register('s', {
      schema: fixed(1),
      metadata: { properties: { owner: 'anna', legal: 'no' } },
      ruleSet: { domainRules: [rule('b', 'own'), rule('c', 'own')] }
    })
    expect(content.metadata?.properties).toEqual({ legal: 'yes', owner: 'anna', team: 'core' })
    expect(content.ruleSet?.domainRules?.map(({ name, expr }) => `${name} ${expr}`)).toEqual(['a default', 'b own', 'c override'])
    expect(await registry.lookUp('s', { schema: fixed(1) }), 'the same is added to what is looked up').toMatchObject({
      version: 1
    })
  })

  test('a compatibility group parts the versions', async () => {
    const registry = await open()
    await registry.setConfig('s', { compatibilityGroup: 'major' })
    const version = (size: number, major: string) =>
      registry.register('s', { schema: fixed(size), metadata: { properties: { major } } })
    await version(1, '1')
    await expect(version(2, '1')).rejects.toThrow('FIXED_SIZE_MISMATCH')
    expect(await version(2, '2')).toMatchObject({ version: 2 })
    expect(await version(1, '2').catch(({ code }) => code)).toBe('INCOMPATIBLE_SCHEMA')
  })

  test('reserved fields stay reserved, and free', async () => {
    const registry = await open()
    await registry.setConfig('s', { validateFields: true })
    const record = (...fields: string[]): string =>
      JSON.stringify({ type: 'record', name: 'R', fields: fields.map(name => ({ name, type: 'int', default: 0 })) })
    const metadata = { properties: { 'confluent:reserved': 'a, b' } }
    await registry.register('s', { schema: record('x'), metadata })
    await expect(registry.register('s', { schema: record('x', 'a'), metadata })).rejects.toThrow(
      'conflicts with the reserved field a'
    )
    await expect(
      registry.register('s', { schema: record('x', 'y'), metadata: { properties: { 'confluent:reserved': 'b' } } })
    ).rejects.toThrow('reserved field a removed')
  })

  test('without validateNewSchemas, defaults that do not fit are taken', async () => {
    const registry = await open()
    const schema = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}'
    await expect(registry.register('s', { schema })).rejects.toThrow('the default of a')
    await registry.setConfig('s', { validateNewSchemas: false })
    expect(await registry.register('s', { schema })).toMatchObject({ version: 1 })
  })
})

describe('modes', () => {
  test('are in force for the subject, its context, or all', async () => {
    const registry = await open()
    await registry.setMode(':.c:', 'readonly')
    await expect(registry.register(':.c:s', { schema: fixed(1) })).rejects.toThrow(
      'Subject :.c:s in context .c is in read-only mode'
    )
    await registry.setMode(':.c:s', 'READWRITE')
    expect(await registry.register(':.c:s', { schema: fixed(1) })).toMatchObject({ id: 1 })
    await registry.setMode(null, 'READONLY')
    await expect(registry.register('s', { schema: fixed(1) })).rejects.toThrow('read-only mode')
    await expect(registry.setConfig('s', { normalize: true })).rejects.toThrow('read-only mode')
    await registry.setMode(null, 'READONLY_OVERRIDE')
    await expect(registry.register('s', { schema: fixed(2) })).rejects.toThrow('read-only mode')
    await expect(registry.register(':.c:s', { schema: fixed(2) })).rejects.toThrow('incompatible')
    expect(await registry.deleteMode(null)).toBe('READONLY_OVERRIDE')
    expect(registry.mode(null)).toBe('READWRITE')
    expect(await registry.deleteMode(':.c:', { recursive: true })).toBe('READONLY')
    expect(registry.mode(':.c:s')).toBeUndefined()
    await expect(registry.deleteMode('nobody')).rejects.toThrow("Subject 'nobody' not found.")
    await expect(registry.setMode('s', 'sideways')).rejects.toThrow('Invalid mode')
    await expect(registry.setMode('s', 'FORWARD')).rejects.toThrow('only supported on global level')
  })

  test('IMPORT takes IDs and versions as they are given, and never lets an ID change its meaning', async () => {
    const registry = await open()
    await expect(registry.register('s', { schema: fixed(1), id: 7 })).rejects.toThrow('is not in import mode')
    await registry.setMode(null, 'IMPORT')
    await expect(registry.register('s', { schema: fixed(1) })).rejects.toThrow('is not in read-write mode')
    expect(await registry.register('s', { schema: fixed(1), id: 7, version: 3 })).toMatchObject({ id: 7, version: 3 })
    expect(await registry.register('s', { schema: fixed(2), id: 9, version: 5 })).toMatchObject({ id: 9, version: 5 })
    await expect(registry.register('t', { schema: fixed(3), id: 7 })).rejects.toThrow(
      'Overwrite new schema with id 7 in context . is not permitted.'
    )
    expect(await registry.register('t', { schema: fixed(1), id: 7 })).toMatchObject({ id: 7, version: 1 })
    await registry.setMode(null, 'READWRITE')
    expect(await registry.register('u', { schema: fixed(4) })).toMatchObject({ id: 10, version: 1 })
  })

  test('a switch to IMPORT wants an empty subject, and takes what was soft-deleted away for ever', async () => {
    const registry = await open()
    await registry.register('s', { schema: fixed(1) })
    await expect(registry.setMode('s', 'IMPORT')).rejects.toThrow('Cannot import since found existing subjects')
    await expect(registry.setMode(null, 'IMPORT')).rejects.toThrow('Cannot import since found existing subjects')
    await registry.deleteSubject('s')
    await registry.setMode('s', 'IMPORT')
    expect(registry.subjects({ deleted: true })).toEqual([])
    expect(
      await registry.register('s', { schema: fixed(2), id: 1, version: 1 }),
      'the ID stands for nothing any more'
    ).toMatchObject({
      id: 1
    })
    await registry.register('t', { schema: fixed(5) })
    await registry.setMode('t', 'IMPORT', { force: true })
    expect(registry.versions('t')).toEqual([1])
  })
})

describe('the same schema', () => {
  test('sent with its references written out', async () => {
    const registry = await open()
    await registry.register('money', { schema: fixed(8) })
    const schema = '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'
    const { id } = await registry.register('r', { schema, references: [{ name: 'F', subject: 'money', version: 1 }] })
    const whole = schema.replace('"F"}', `${fixed(8)}}`)
    expect(await registry.lookUp('r', { schema: whole })).toMatchObject({ id, version: 1 })
    expect(await registry.register('r', { schema: whole })).toMatchObject({ id, version: 1 })
  })
})

describe('writes that wait together', () => {
  test('share a batch, see each other, and each gets its own answer', async () => {
    const log = await openTestLog()
    const registry = await open(log)
    const before = log.highWatermark
    const answers = await Promise.all([
      ...Array.from({ length: 50 }, (_, at) => registry.register(`s${at}`, { schema: fixed((at % 25) + 1) })),
      registry.register('s0', { schema: fixed(99) }).catch(({ code }) => code),
      registry.register('bad', { schema: 'nonsense' }).catch(({ code }) => code),
      registry.deleteSubject('s1'),
      registry.register('s1', { schema: fixed(77) })
    ])
    const ids = answers.slice(0, 50).map(answer => (answer as { id: number }).id)
    expect(new Set(ids).size, 'one content, one ID').toBe(25)
    expect(ids.slice(0, 25)).toEqual(ids.slice(25))
    expect(Math.max(...ids)).toBe(25)
    expect(answers.slice(50)).toMatchObject(['INCOMPATIBLE_SCHEMA', 'INVALID_SCHEMA', [1], { id: 26, version: 2 }])
    const batches = await log.read(before, { bytesMax: 1 << 24 })
    expect(batches.length).toBeLessThan(6)
  })
})

describe('tags inside a schema', () => {
  const record = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
  const field = { schemaEntity: { entityPath: 'R.a', entityType: 'sr_field' as const }, tags: ['PII'] }

  test('are put in and taken out in a new version, which bears its number', async () => {
    const registry = await open()
    const rule = { name: 'r', type: 'CEL', mode: 'WRITE' }
    await registry.register('s', { schema: record, ruleSet: { domainRules: [rule] } })
    const tagged = await registry.modifyTags('s', 'latest', {
      tagsToAdd: [field],
      rulesToMerge: { domainRules: [{ ...rule, name: 'q' }] }
    })
    expect(tagged.content.text).toContain('"confluent:tags":["PII"]')
    expect(tagged.content.metadata?.properties).toEqual({ 'confluent:version': '2' })
    expect(tagged.content.ruleSet?.domainRules?.map(({ name }) => name)).toEqual(['r', 'q'])
    const bare = await registry.modifyTags('s', 2, { newVersion: 3, tagsToRemove: [field], rulesToRemove: ['r'] })
    expect(bare).toMatchObject({ version: 3 })
    expect(bare.content.text).toBe(record)
    expect(bare.content.ruleSet?.domainRules?.map(({ name }) => name)).toEqual(['q'])
    await expect(registry.modifyTags('s', 9, { tagsToAdd: [field] })).rejects.toThrow('Version 9 not found.')
    const nowhere = { ...field, schemaEntity: { entityPath: 'R.z', entityType: 'sr_field' as const } }
    await expect(registry.modifyTags('s', 1, { tagsToAdd: [nowhere] })).rejects.toMatchObject({ code: 'INVALID_SCHEMA' })
    await expect(registry.modifyTags('s', 1, { ruleSet: {}, rulesToRemove: ['r'] })).rejects.toMatchObject({
      code: 'INVALID_RULE_SET'
    })
  })

  test('come with a registration, and stay when asked', async () => {
    const registry = await open()
    await registry.register('s', { schema: record, schemaTagsToAdd: [field] })
    const more = record.replace(']}', ',{"name":"b","type":"int","default":0}]}')
    const { content } = await registry.register('s', { schema: more, propagateSchemaTags: true })
    expect(content.text).toContain('PII')
  })
})
