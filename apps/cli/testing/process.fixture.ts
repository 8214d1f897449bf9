/** A test process in small: starts an Assay, uses it, closes it, and has nothing more to do. Prints how long the starts took. */
import { Producer, stringSerializers } from '@platformatic/kafka'

const began = performance.now()
const { startAssay } = await import('assay/testing')
const imported = performance.now()
const first = await startAssay({ storage: process.argv[2] === 'temporary' ? 'temporary' : 'memory' })
const firstMs = performance.now() - imported
const second = await startAssay()
const secondMs = performance.now() - imported - firstMs
await first.createTopic('t')
const producer = new Producer({ clientId: 'p', bootstrapBrokers: [first.kafka], serializers: stringSerializers })
await producer.send({ messages: [{ topic: 't', value: 'a' }] })
await producer.close()
const count = (await first.records('t')).length
await Promise.all([first.close(), second.close()])
console.log(JSON.stringify({ importMs: imported - began, firstMs, secondMs, count, closedAt: performance.now() - began }))
