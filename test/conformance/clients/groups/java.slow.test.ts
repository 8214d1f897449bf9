/** Groups of Java's consumer against a served process: both protocols, static members, patterns, migration. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from '../../../served.ts'
import { java } from './member.ts'
import { followPattern, migrate, restartStatic, shareAndResume } from './scenario.ts'

let served: Served
beforeAll(async () => {
  served = await serve()
}, 60_000)
afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

const TIMEOUT = { timeout: 180_000 }
const missing = java.prepare()

test.skipIf(missing !== undefined).for([{ mode: 'eager' }, { mode: 'cooperative' }, { mode: 'consumer' }] as const)(
  `${java.name}, $mode: two members share, and resume`,
  TIMEOUT,
  ({ mode }) => shareAndResume(served.kafka, java, { mode, group: `java-${mode}`, topic: `java-${mode}` })
)
test.skipIf(missing !== undefined).for([{ mode: 'cooperative' }, { mode: 'consumer' }] as const)(
  `${java.name}, $mode: a static member is started again and nobody else notices`,
  TIMEOUT,
  ({ mode }) => restartStatic(served.kafka, java, { mode, group: `java-static-${mode}`, topic: `java-static-${mode}` })
)
test.skipIf(missing !== undefined)(`${java.name}: topics that match a pattern`, TIMEOUT, () =>
  followPattern(served.kafka, java, { mode: 'consumer', group: 'java-patterns', topic: 'java-matched' })
)
test.skipIf(missing !== undefined)(`${java.name}: a classic group goes over to the consumer protocol and back`, TIMEOUT, () =>
  migrate(served.kafka, java, { mode: 'consumer', group: 'java-migrated', topic: 'java-migrated' })
)
