/** @kafkajs/confluent-schema-registry as its users call it: kafkajs-script.ts URL. */
import assert from 'node:assert/strict'
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { refusalOf, step } from './report.ts'
import { money, order, page, required, visitOf } from './schemas.ts'

const [url = ''] = process.argv.slice(2)
/** A schema as an object: the package does not export the name of that type. */
type RawAvroSchema = Extract<Parameters<SchemaRegistry['register']>[0], { fields: unknown }>

const fresh = () => new SchemaRegistry({ host: url })
const registry = fresh()
const avro = (schema: string, more: object = {}) => ({ type: SchemaType.AVRO as const, schema, ...more })
const first = visitOf('Visit')
const second = visitOf('Visit', page)
const third = visitOf('Visit', page, required)

await step('registers, and gets the same ID again', async () => {
  const { id } = await registry.register(avro(first), { subject: 'kj-visit' })
  assert.equal((await fresh().register(avro(first), { subject: 'kj-visit' })).id, id)
  assert.ok((await fresh().register(avro(second), { subject: 'kj-visit' })).id > id)
  // Without a subject the client makes one from the namespace and the name.
  assert.equal((await fresh().register(JSON.parse(first) as RawAvroSchema)).id, id)
  assert.equal(await fresh().getRegistryId('conformance.Visit', 1), id)
})

await step('registers with references and lists who refers', async () => {
  await registry.register(avro(money), { subject: 'kj-money' })
  const references = [{ name: 'conformance.Money', subject: 'kj-money', version: 1 }]
  const { id } = await registry.register(avro(order, { references }), { subject: 'kj-order' })
  // A registry of its own has to fetch what the schema refers to before it can decode.
  const payload = await registry.encode(id, { total: { cents: 995 } })
  assert.deepEqual(JSON.parse(JSON.stringify(await fresh().decode(payload))), { total: { cents: 995 } })
})

await step('reads by ID, by version and the latest', async () => {
  const id = await fresh().getRegistryId('kj-visit', 1)
  const schema = (await fresh().getSchema(id)) as { isValid(value: unknown): boolean }
  assert.equal(schema.isValid({ user: 'anna', step: 1 }), true)
  assert.equal(schema.isValid({ user: 'anna' }), false)
  assert.equal(await fresh().getLatestSchemaId('kj-visit'), await fresh().getRegistryId('kj-visit', 2))
  assert.equal(await fresh().getRegistryId('kj-visit', 'latest'), await fresh().getLatestSchemaId('kj-visit'))
})

await step('looks up a schema, and is told 40403 when it is not there', async () => {
  assert.equal(await fresh().getRegistryIdBySchema('kj-visit', avro(first)), await fresh().getRegistryId('kj-visit', 1))
  const refusal = await refusalOf(fresh().getRegistryIdBySchema('kj-visit', avro(visitOf('Unknown'))))
  // It turns what it takes for a 404 into an error of its own, and shows the registry's text.
  assert.equal((refusal as { name?: string }).name, 'ConfluentSchemaRegistryError')
  assert.match(refusal.message, /Schema not found/)
})

await step('is refused an incompatible schema with its reasons', async () => {
  const refusal = await refusalOf(registry.register(avro(third), { subject: 'kj-visit' }))
  assert.equal(refusal.status, 409)
  assert.match(refusal.message, /incompatible with an earlier schema/)
})

await step('sets, reads and deletes settings', async () => {
  // The client sets the level of a subject when it makes it, and refuses to go on when the level is another than it was told.
  await registry.register(avro(first), { subject: 'kj-config', compatibility: COMPATIBILITY.NONE })
  await registry.register(avro(third), { subject: 'kj-config', compatibility: COMPATIBILITY.NONE })
  const refusal = await refusalOf(registry.register(avro(second), { subject: 'kj-config', compatibility: COMPATIBILITY.FULL }))
  assert.match(refusal.message, /compatibility.*NONE/i)
})

await step('keeps contexts apart', async () => {
  const apart = visitOf('Apart')
  const { id } = await registry.register(avro(apart), { subject: ':.kj:visit' })
  assert.equal(id, 1)
  const behind = new SchemaRegistry({ host: `${url}/contexts/.kj` })
  assert.equal(await behind.getRegistryId('visit', 1), 1)
  const payload = await behind.encode(id, { user: 'anna', step: 3 })
  assert.deepEqual({ ...(await new SchemaRegistry({ host: `${url}/contexts/.kj` }).decode(payload)) }, { user: 'anna', step: 3 })
})

await step('serializes with registration on the way, and reads it back', async () => {
  const { id } = await fresh().register(avro(first), { subject: 'kj-trip-value' })
  const payload = await fresh().encode(id, { user: 'anna', step: 7 })
  assert.deepEqual([payload.readInt8(0), payload.readInt32BE(1)], [0, id])
  assert.deepEqual({ ...(await fresh().decode(payload)) }, { user: 'anna', step: 7 })
})

await step('serializes with the latest version, and reads it back with another', async () => {
  await registry.register(avro(first), { subject: 'kj-latest-value' })
  await registry.register(avro(second), { subject: 'kj-latest-value' })
  const payload = await fresh().encode(await fresh().getLatestSchemaId('kj-latest-value'), { user: 'bert', step: 1, page: '/b' })
  const readerSchema = JSON.parse(first) as RawAvroSchema
  assert.deepEqual({ ...(await fresh().decode(payload, { [SchemaType.AVRO]: { readerSchema } })) }, { user: 'bert', step: 1 })
})
