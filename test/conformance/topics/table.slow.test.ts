/** The same table against Apache Kafka 4.4: what we take for its behaviour is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Peer, startApacheKafka } from '../../peers/apache-kafka.ts'
import { type RawClient, rawClient } from '../../raw-client.ts'
import { type Kit, kitOf } from './case.ts'
import { cases } from './cases.ts'

/** As test/peers/apache-kafka.ts configures it. */
const NODE_ID = '1'

let peer: Peer | { readonly missing: string }
let client: RawClient
let kit: Kit

beforeAll(async () => {
  peer = await startApacheKafka()
  if ('missing' in peer) return
  client = await rawClient(peer.kafka)
  kit = kitOf(client, { nodeId: NODE_ID, settleMs: 150 })
}, 120_000)

afterAll(async () => {
  if ('missing' in peer) return
  client.close()
  await peer.stop()
})

describe.each(Object.entries(cases))('%s', (_part, rows) => {
  test.for(rows.map(row => [row.name, row] as const))('%s', async ([, row], context) => {
    if ('missing' in peer) return context.skip(peer.missing)
    expect(await row.ask(kit)).toEqual(row.kafka?.answer ?? row.answer)
  })
})
