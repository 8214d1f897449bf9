/** The brokers under measurement: Apache Kafka, and one Assay with topics that it validates and topics that it does not. */
import { registryClient, topicAdmin } from '@assay/client'
import type { Peer } from '../../peers/apache-kafka.ts'
import type { Served } from '../../served.ts'
import type { Cell } from './cells.ts'
import { schemaText } from './payloads.ts'

export interface Broker {
  readonly role: 'kafka' | 'off' | 'deep'
  readonly name: string
  readonly kafka: string
  readonly pid: number
  createTopic(topic: string): Promise<void>
  deleteTopic(topic: string): Promise<void>
}

export type Role = Broker['role']

const ADMIN_TIMEOUT_MS = 20_000

export function kafkaBroker(peer: Peer): Broker {
  return {
    role: 'kafka',
    name: peer.name,
    kafka: peer.kafka,
    pid: peer.pid,
    createTopic: topic => createTopic(peer.kafka, topic, {}),
    deleteTopic: topic => deleteTopic(peer.kafka, topic)
  }
}

/** Topics of either kind have their subject, so that validation alone is the difference. */
export function assayBroker(served: Served, validation: 'off' | 'deep'): Broker {
  return {
    role: validation,
    name: validation === 'off' ? 'Assay' : 'Assay, deep',
    kafka: served.kafka,
    pid: served.pid,
    async createTopic(topic) {
      await registerSchema(served, `${topic}-value`)
      await createTopic(served.kafka, topic, { 'assay.value.validation': validation })
    },
    deleteTopic: topic => deleteTopic(served.kafka, topic)
  }
}

/** The ID of the payloads' schema, the same under every subject. */
export const registerSchema = (served: Served, subject: string): Promise<number> =>
  registryClient({ url: served.http }).register(subject, { schema: schemaText })

/** Who is measured in a cell: validation is the producer's business, and one setting of acks tells enough of it. */
export const rolesOf = ({ kind, acks }: Cell): readonly Role[] =>
  kind !== 'consume' && acks === 'all' ? ['kafka', 'off', 'deep'] : ['kafka', 'off']

async function createTopic(bootstrap: string, name: string, configs: Record<string, string>): Promise<void> {
  const admin = topicAdmin({ bootstrap, timeoutMs: ADMIN_TIMEOUT_MS })
  try {
    await admin.create({ name, partitions: 1, configs })
  } finally {
    await admin.close()
  }
}

async function deleteTopic(bootstrap: string, name: string): Promise<void> {
  const admin = topicAdmin({ bootstrap, timeoutMs: ADMIN_TIMEOUT_MS })
  try {
    await admin.delete(name)
  } finally {
    await admin.close()
  }
}
