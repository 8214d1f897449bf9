/** The same tables against Apache Kafka 4.4: what we take for its behaviour is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Peer, startApacheKafka } from '../../peers/apache-kafka.ts'
import { type RawClient, rawClient } from '../../raw-client.ts'
import { adminCases } from './admin-cases.ts'
import { answerOf, type Kit, kitOf } from './case.ts'
import { trapCases } from './trap-cases.ts'

/** As test/peers/apache-kafka.ts configures it. */
const NODE_ID = 1

let peer: Peer | { readonly missing: string }
let client: RawClient
let kit: Kit

beforeAll(async () => {
  peer = await startApacheKafka()
  if ('missing' in peer) return
  client = await rawClient(peer.kafka)
  kit = kitOf(peer.kafka, client, NODE_ID)
}, 120_000)

afterAll(async () => {
  if ('missing' in peer) return
  client.close()
  await peer.stop()
})

describe.each(Object.entries({ traps: trapCases, admin: adminCases }))('%s', (_part, rows) => {
  test.for(rows.map(row => [row.name, row] as const))('%s', async ([, row], context) => {
    if ('missing' in peer) return context.skip(peer.missing)
    const found = await answerOf(kit, row)
    if (found === undefined) return context.skip(`API ${row.needs} is not served`)
    expect(found.answer).toEqual(row.kafka?.answer ?? row.answer)
  })
})
