/** The same against Apache Kafka 4.4. */
import { afterAll, beforeAll } from 'vitest'
import { type Peer, startApacheKafka } from '../../../peers/apache-kafka.ts'
import { transactionScenario } from './scenario.ts'

let peer: Peer | { readonly missing: string }

beforeAll(async () => {
  peer = await startApacheKafka()
}, 120_000)

afterAll(async () => {
  if (!('missing' in peer)) await peer.stop()
})

transactionScenario(() => ('missing' in peer ? { kafka: '', missing: peer.missing } : { kafka: peer.kafka }))
