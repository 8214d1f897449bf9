/** The same against Apache Kafka 4.4. */
import { afterAll, beforeAll } from 'vitest'
import { type Peer, startApacheKafka } from '../../../peers/apache-kafka.ts'
import { topicScenario } from './scenario.ts'

let peer: Peer | { readonly missing: string }

beforeAll(async () => {
  peer = await startApacheKafka()
}, 120_000)

afterAll(async () => {
  if (!('missing' in peer)) await peer.stop()
})

topicScenario(() =>
  'missing' in peer ? { kafka: '', missing: peer.missing, isPeer: true } : { kafka: peer.kafka, isPeer: true }
)
