/** The tables of the protocol and of admin tools against our own served process. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawClient, rawClient } from '../../raw-client.ts'
import { type Served, serve } from '../../served.ts'
import { adminCases } from './admin-cases.ts'
import { answerOf, type Kit, kitOf } from './case.ts'
import { trapCases } from './trap-cases.ts'

let served: Served
let client: RawClient
let kit: Kit

beforeAll(async () => {
  served = await serve()
  client = await rawClient(served.kafka)
  kit = kitOf(served.kafka, client, 0)
})

afterAll(async () => {
  client.close()
  expect(await served.stop()).toBe(0)
})

describe.each(Object.entries({ traps: trapCases, admin: adminCases }))('%s', (_part, rows) => {
  test.for(rows.map(row => [row.name, row] as const))('%s', async ([, row], context) => {
    const found = await answerOf(kit, row)
    if (found === undefined) return context.skip(`API ${row.needs} is not served`)
    expect(found.answer).toEqual(row.answer)
  })
})
