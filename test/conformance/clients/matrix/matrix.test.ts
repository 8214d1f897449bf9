/** The part of the matrix that every run takes: Node's clients at Assay. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from '../../../served.ts'
import { matrixClients } from './clients.ts'
import { cellsOf, stepsAt } from './matrix.ts'

const NODE_CLIENTS = ['kafkajs', '@platformatic/kafka']

let served: Served

beforeAll(async () => {
  served = await serve({ args: ['--log-level', 'warn'] })
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

test.for(NODE_CLIENTS)('%s takes its steps', { timeout: 120_000 }, async name => {
  const client = matrixClients.find(candidate => candidate.name === name)!
  const cells = await cellsOf(client, [{ name: 'Assay', kafka: served.kafka }])
  if ('missing' in cells) throw new Error(cells.missing)
  const taken = cells.filter(({ outcomes }) => outcomes['Assay'] !== undefined)
  expect(taken.map(({ step, outcomes }) => `${step}: ${outcomes['Assay']}`)).toEqual(taken.map(({ step }) => `${step}: ok`))
  const always = ['topics', 'codecs', 'order', 'groups', 'time', 'idempotence', 'admin']
  expect(taken.map(({ step }) => step)).toEqual(expect.arrayContaining(always))
  expect((await stepsAt(served.kafka)).length).toBeGreaterThanOrEqual(taken.length)
})
