/** Groups of real clients against a served process: both protocols, eager and cooperative, static members, patterns, migration. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from '../../../served.ts'
import { platformatic, python } from './member.ts'
import { followPattern, migrate, restartStatic, shareAndLeave, shareAndResume } from './scenario.ts'

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

const TIMEOUT = { timeout: 120_000 }

test.concurrent.for([
  { title: 'cooperative', options: { mode: 'cooperative' } },
  { title: 'consumer protocol, uniform', options: { mode: 'consumer', assignor: 'uniform' } },
  { title: 'consumer protocol, range', options: { mode: 'consumer', assignor: 'range' } }
] as const)(`${python.name}, $title: two members share, and resume`, TIMEOUT, async ({ title, options }, context) => {
  const missing = python.prepare()
  if (missing !== undefined) return context.skip(missing)
  const topic = `shared-${title.replace(/\W+/g, '-')}`
  await shareAndResume(served.kafka, python, { ...options, group: `of-${topic}`, topic })
})

test.concurrent.for([{ mode: 'eager' }, { mode: 'consumer' }] as const)(
  `${python.name}, $mode: a static member is started again and nobody else notices`,
  TIMEOUT,
  async ({ mode }, context) => {
    const missing = python.prepare()
    if (missing !== undefined) return context.skip(missing)
    await restartStatic(served.kafka, python, { mode, group: `static-${mode}`, topic: `static-${mode}` })
  }
)

test.concurrent.for([{ mode: 'eager' }, { mode: 'consumer' }] as const)(
  `${platformatic.name}, $mode: two members share, and one goes`,
  TIMEOUT,
  ({ mode }) => shareAndLeave(served.kafka, platformatic, { mode, group: `platformatic-${mode}`, topic: `platformatic-${mode}` })
)

test.concurrent(`${python.name}: topics that match a pattern`, TIMEOUT, async context => {
  const missing = python.prepare()
  if (missing !== undefined) return context.skip(missing)
  await followPattern(served.kafka, python, { mode: 'consumer', group: 'patterns', topic: 'matched' })
})

test.concurrent(`${python.name}: a classic group goes over to the consumer protocol and back`, TIMEOUT, async context => {
  const missing = python.prepare()
  if (missing !== undefined) return context.skip(missing)
  await migrate(served.kafka, python, { mode: 'consumer', group: 'migrated', topic: 'migrated' })
})
