/** A consumer of a group, to be killed: `soak-client.ts HOST:PORT TOPIC GROUP`. It commits as it goes, and never leaves in good order. */
import { Kafka, logLevel } from 'kafkajs'

const [broker, topic, groupId] = process.argv.slice(2) as [string, string, string]
const kafka = new Kafka({ brokers: [broker], clientId: 'soak', logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 200 })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: false })
await consumer.run({ autoCommitThreshold: 50, eachMessage: async () => {} })
