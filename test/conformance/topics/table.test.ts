/** The table of topics against our own served process. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawClient, rawClient } from '../../raw-client.ts'
import { type Served, serve } from '../../served.ts'
import { type Kit, kitOf } from './case.ts'
import { cases } from './cases.ts'

let served: Served
let client: RawClient
let kit: Kit

beforeAll(async () => {
  served = await serve()
  client = await rawClient(served.kafka)
  kit = kitOf(client, { nodeId: '0', settleMs: 0 })
})

afterAll(async () => {
  client.close()
  expect(await served.stop()).toBe(0)
})

describe.each(Object.entries(cases))('%s', (_part, rows) => {
  test.each(rows.map(row => [row.name, row] as const))('%s', async (_name, row) => {
    expect(await row.ask(kit)).toEqual(row.answer)
  })
})
