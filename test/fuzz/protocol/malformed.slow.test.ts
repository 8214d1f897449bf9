/** A million malformed Kafka frames over sockets, and five million decoded without. */

import { apiVersions } from '@assay/protocol'
import { expect, test } from 'vitest'
import { requestOf } from '../../filled.ts'
import { rawClient } from '../../raw-client.ts'
import { seedOfRun } from '../../suites/random.ts'
import { decodeAll, mutantsOf, prepare } from './run.ts'
import { storm } from './storm.ts'

const FRAMES = Number(process.env['ASSAY_FRAMES'] ?? 1_000_000)
const DECODED = 5 * FRAMES
const WARM_UP = FRAMES / 20
const BUSY_MS_MAX = 100
const RSS_GROWTH_MIB_MAX = 64

const seed = seedOfRun()
test(`${FRAMES} malformed frames (seed ${seed})`, async () => {
  const { served, kafka, frames } = await prepare()
  const result = await storm({ kafka, pid: served.pid, mutants: mutantsOf(frames, seed, FRAMES), warmUp: WARM_UP })
  const { sent, answered, closed, stuck, busyMs, rssMiB, seconds } = result
  console.log(
    `seed ${seed}: ${sent} frames in ${seconds.toFixed(0)} s, ${answered} answered, ${closed} closed; busy ${Math.round(busyMs)} ms at most, RSS ${Math.round(rssMiB.before)} -> ${Math.round(rssMiB.largest)} MiB`
  )
  expect(stuck).toEqual([])
  expect(sent).toBe(FRAMES)
  expect(busyMs).toBeLessThan(BUSY_MS_MAX)
  expect(rssMiB.largest - rssMiB.before).toBeLessThan(RSS_GROWTH_MIB_MAX)
  const client = await rawClient(kafka)
  const about = requestOf(apiVersions, { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' })
  expect((await client.ask(apiVersions, 3, about)).errorCode).toBe(0)
  client.close()
  expect(await served.stop()).toBe(0)
  expect(served.log()).toBe('')

  const decoded = decodeAll(mutantsOf(frames, seed + 1, DECODED), frames)
  expect(decoded.faults).toEqual([])
  expect(decoded.slowestCpuMs).toBeLessThan(BUSY_MS_MAX)
})
