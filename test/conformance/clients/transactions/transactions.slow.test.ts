/** Apache Kafka 4.4 is asked the same; and Java's clients, slow to start, ask both. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type Peer, startApacheKafka } from '../../../peers/apache-kafka.ts'
import { type Served, serve } from '../../../served.ts'
import { java } from './java.ts'
import { transactionScenario, withJava } from './scenario.ts'

let served: Served
let peer: Peer | { readonly missing: string }

beforeAll(async () => {
  served = await serve()
  peer = await startApacheKafka()
}, 120_000)

afterAll(async () => {
  expect(await served.stop()).toBe(0)
  if (!('missing' in peer)) await peer.stop()
})

describe('Assay', () => transactionScenario(() => ({ kafka: served.kafka }), [java]))
describe('Apache Kafka', () =>
  transactionScenario(() => ('missing' in peer ? { kafka: '', missing: peer.missing } : { kafka: peer.kafka }), withJava))
