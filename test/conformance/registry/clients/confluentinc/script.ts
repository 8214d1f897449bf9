/** @confluentinc/schemaregistry as its users call it: script.ts FOLDER URL, FOLDER being where the package is installed. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { refusalOf, step } from '../report.ts'
import { money, order, page, positive, required, visitOf } from '../schemas.ts'

const [folder = '', url = ''] = process.argv.slice(2)
// Installed outside the project, so its types are not at hand: these values are untyped on purpose.
const { AvroDeserializer, AvroSerializer, SchemaRegistryClient, SerdeType } = createRequire(join(folder, 'package.json'))(
  '@confluentinc/schemaregistry'
)

const fresh = () => new SchemaRegistryClient({ baseURLs: [url], cacheCapacity: 100 })
const registry = fresh()
const avro = (schema: string, more: object = {}) => ({ schemaType: 'AVRO', schema, ...more })
const first = visitOf('Visit')
const second = visitOf('Visit', page)
const third = visitOf('Visit', page, required)

await step('registers, and gets the same ID again', async () => {
  const id = await registry.register('ci-visit', avro(first))
  assert.ok(id > 0)
  assert.equal(await fresh().register('ci-visit', avro(first)), id)
  assert.equal(await registry.register('ci-other', avro(first)), id)
  const whole = await fresh().registerFullResponse('ci-visit', avro(second), true)
  assert.ok(whole.id > id)
  assert.equal(whole.version, 2)
})

await step('registers with references and lists who refers', async () => {
  await registry.register('ci-money', avro(money))
  const references = [{ name: 'conformance.Money', subject: 'ci-money', version: 1 }]
  const id = await registry.register('ci-order', avro(order, { references }))
  const info = await fresh().getBySubjectAndId('ci-order', id)
  assert.deepEqual(info.references, references)
  const resolved = await fresh().getBySubjectAndId('ci-order', id, 'resolved')
  assert.match(resolved.schema, /"cents"/)
})

await step('reads by ID, by version and the latest', async () => {
  const id = await registry.getId('ci-visit', avro(first))
  assert.equal((await fresh().getBySubjectAndId('ci-visit', id)).schema, first)
  const version = await fresh().getSchemaMetadata('ci-visit', 1)
  assert.deepEqual([version.id, version.version, version.subject, version.schema], [id, 1, 'ci-visit', first])
  const latest = await fresh().getLatestSchemaMetadata('ci-visit')
  assert.deepEqual([latest.version, latest.schema], [2, second])
})

await step('reads by GUID', async () => {
  const { guid } = await fresh().getSchemaMetadata('ci-visit', 1)
  assert.match(guid, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  assert.equal((await fresh().getByGuid(guid)).schema, first)
})

await step('looks up a schema, and is told 40403 when it is not there', async () => {
  assert.equal(await fresh().getVersion('ci-visit', avro(second)), 2)
  const found = await fresh().getIdFullResponse('ci-visit', avro(first))
  assert.deepEqual([found.subject, found.version, found.schema], ['ci-visit', 1, first])
  const refusal = await refusalOf(fresh().getId('ci-visit', avro(visitOf('Unknown'))))
  assert.deepEqual([refusal.status, refusal.errorCode], [404, 40403])
  const unknown = await refusalOf(fresh().getLatestSchemaMetadata('ci-nobody'))
  assert.deepEqual([unknown.status, unknown.errorCode], [404, 40401])
})

await step('is told what is compatible and what is not', async () => {
  assert.equal(await registry.testSubjectCompatibility('ci-visit', avro(second)), true)
  assert.equal(await registry.testSubjectCompatibility('ci-visit', avro(third)), false)
  assert.equal(await registry.testCompatibility('ci-visit', 1, avro(second)), true)
  assert.equal(await registry.testCompatibility('ci-visit', 1, avro(third)), false)
})

await step('is refused an incompatible schema with its reasons', async () => {
  const refusal = await refusalOf(registry.register('ci-visit', avro(third)))
  assert.deepEqual([refusal.status, refusal.errorCode], [409, 40901])
  assert.match(refusal.message, /READER_FIELD_MISSING_DEFAULT_VALUE/)
})

await step('sets, reads and deletes settings', async () => {
  assert.equal(await registry.getDefaultCompatibility(), 'BACKWARD')
  assert.equal(await registry.updateDefaultCompatibility('FULL'), 'FULL')
  assert.equal(await registry.getDefaultCompatibility(), 'FULL')
  assert.equal(await registry.updateDefaultCompatibility('BACKWARD'), 'BACKWARD')
  assert.equal((await refusalOf(registry.getCompatibility('ci-config'))).errorCode, 40408)
  assert.equal(await registry.updateCompatibility('ci-config', 'NONE'), 'NONE')
  assert.equal(await registry.getCompatibility('ci-config'), 'NONE')
  const set = await registry.updateConfig('ci-config', {
    compatibilityLevel: 'FULL',
    normalize: true,
    compatibilityGroup: 'major'
  })
  assert.deepEqual([set.normalize, set.compatibilityGroup], [true, 'major'])
  const config = await registry.getConfig('ci-config')
  assert.deepEqual([config.normalize, config.compatibilityGroup], [true, 'major'])
  assert.equal((await registry.getDefaultConfig()).compatibilityLevel, 'BACKWARD')
})

await step('lists subjects and versions, deleted ones too', async () => {
  const subjects = await registry.getAllSubjects()
  for (const subject of ['ci-money', 'ci-order', 'ci-other', 'ci-visit']) assert.ok(subjects.includes(subject), subject)
  assert.deepEqual(await registry.getAllVersions('ci-visit'), [1, 2])
})

await step('deletes softly, then hard', async () => {
  await registry.register('ci-gone', avro(first))
  await registry.register('ci-gone', avro(second))
  assert.equal((await refusalOf(registry.deleteSubjectVersion('ci-gone', 1, true))).errorCode, 40407)
  assert.equal(await registry.deleteSubjectVersion('ci-gone', 1), 1)
  assert.deepEqual(await fresh().getAllVersions('ci-gone'), [2])
  assert.equal((await fresh().getSchemaMetadata('ci-gone', 1, true)).schema, first)
  assert.equal((await refusalOf(fresh().getSchemaMetadata('ci-gone', 1))).errorCode, 40402)
  assert.equal(await registry.deleteSubjectVersion('ci-gone', 1, true), 1)
  assert.deepEqual(await registry.deleteSubject('ci-gone'), [2])
  assert.deepEqual(await registry.deleteSubject('ci-gone', true), [2])
  assert.equal((await refusalOf(registry.getAllVersions('ci-gone'))).errorCode, 40401)
})

await step('keeps contexts apart', async () => {
  const apart = visitOf('Apart')
  const id = await registry.register(':.ci:visit', avro(apart))
  assert.equal(id, 1)
  assert.equal((await fresh().getBySubjectAndId(':.ci:visit', id)).schema, apart)
  assert.equal((await fresh().getLatestSchemaMetadata(':.ci:visit')).subject, ':.ci:visit')
  const behind = new SchemaRegistryClient({ baseURLs: [`${url}/contexts/.ci`] })
  assert.deepEqual(await behind.getAllVersions('visit'), [1])
})

await step('keeps metadata and rules, and finds by metadata', async () => {
  const metadata = { properties: { owner: 'anna', major: '1' }, sensitive: ['owner'], tags: { '**.user': ['PII'] } }
  const ruleSet = { domainRules: [{ ...positive, tags: ['PII'], onFailure: 'ERROR' }] }
  await registry.register('ci-rules', avro(first, { metadata, ruleSet }))
  const latest = await fresh().getLatestSchemaMetadata('ci-rules')
  assert.deepEqual(latest.metadata, metadata)
  assert.equal(latest.ruleSet.domainRules[0].expr, positive.expr)
  assert.deepEqual(latest.ruleSet.domainRules[0].tags, ['PII'])
  assert.equal((await fresh().getLatestWithMetadata('ci-rules', { major: '1', owner: 'anna' })).version, 1)
  assert.equal((await refusalOf(fresh().getLatestWithMetadata('ci-rules', { major: '2' }))).status, 404)
})

await step('serializes with registration on the way, and reads it back', async () => {
  const visit = { user: 'anna', step: 7 }
  const serializer = new AvroSerializer(fresh(), SerdeType.VALUE, { autoRegisterSchemas: true })
  const payload: Buffer = await serializer.serialize('ci-trip', visit)
  const { id } = await fresh().getLatestSchemaMetadata('ci-trip-value')
  assert.deepEqual([payload.readInt8(0), payload.readInt32BE(1)], [0, id])
  const deserializer = new AvroDeserializer(fresh(), SerdeType.VALUE, {})
  assert.deepEqual({ ...(await deserializer.deserialize('ci-trip', payload)) }, visit)
})

await step('serializes with the latest version, and reads it back with another', async () => {
  await registry.register('ci-latest-value', avro(first))
  const old = await new AvroSerializer(fresh(), SerdeType.VALUE, { useLatestVersion: true }).serialize('ci-latest', {
    user: 'bert',
    step: 1
  })
  await registry.register('ci-latest-value', avro(second))
  const serializer = new AvroSerializer(fresh(), SerdeType.VALUE, { useLatestVersion: true })
  const payload: Buffer = await serializer.serialize('ci-latest', { user: 'anna', step: 1, page: '/a' })
  assert.equal(payload.readInt32BE(1), (await fresh().getLatestSchemaMetadata('ci-latest-value')).id)
  const reader = new AvroDeserializer(fresh(), SerdeType.VALUE, { useLatestVersion: true })
  assert.equal((await reader.deserialize('ci-latest', old)).page, '/')
})
