/** Topics as real clients look after them, against a served process. */
import { afterAll, beforeAll, expect } from 'vitest'
import { type Served, serve } from '../../../served.ts'
import { topicScenario } from './scenario.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

topicScenario(() => ({ kafka: served.kafka, isPeer: false }))
