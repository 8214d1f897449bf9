/** Malformed Kafka frames: no crash, no hang, no memory that grows. `ASSAY_SEED` repeats a run. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seedOfRun } from '../../suites/random.ts'
import { cutsOf, mutantOf, mutationKinds } from './mutations.ts'
import { decodeAll, mutantsOf, type Prepared, prepare } from './run.ts'
import { storm } from './storm.ts'

const FRAMES = 20_000
const WARM_UP = 10_000
const BUSY_MS_MAX = 100
const RSS_GROWTH_MIB_MAX = 64

describe('malformed frames', () => {
  let prepared: Prepared
  const seed = seedOfRun()

  beforeAll(async () => {
    prepared = await prepare()
  })
  afterAll(async () => {
    expect(await prepared.served.stop()).toBe(0)
  })

  test('start from a frame of every API and version that is served, most of them recorded', () => {
    const { frames } = prepared
    const keys = new Set(frames.map(({ api }) => api.key))
    const recorded = new Set(frames.filter(({ isRecorded }) => isRecorded).map(({ api }) => api.name))
    expect(keys.size).toBeGreaterThan(30)
    expect([...recorded]).toEqual(
      expect.arrayContaining(['Produce', 'Fetch', 'Metadata', 'ListOffsets', 'OffsetCommit', 'JoinGroup', 'CreateTopics'])
    )
    const { faults, refused } = decodeAll(
      frames.map(({ bytes, api, version }) => ({
        bytes: Buffer.concat([Buffer.alloc(4), bytes]),
        kind: 'whole',
        of: `${api.name} ${version}`
      })),
      frames
    )
    expect({ faults, refused }).toEqual({ faults: [], refused: 0 })
  })

  test('cut at every byte are refused by name', () => {
    const { frames } = prepared
    const { faults, refused, slowestCpuMs } = decodeAll(
      frames.flatMap(frame => [...cutsOf(frame)]),
      frames
    )
    expect(faults).toEqual([])
    expect(refused).toBeGreaterThan(5000)
    expect(slowestCpuMs).toBeLessThan(BUSY_MS_MAX)
  })

  test(`are answered or closed, ${FRAMES} of them (seed ${seed})`, async () => {
    const { served, kafka, frames } = prepared
    const result = await storm({ kafka, pid: served.pid, mutants: mutantsOf(frames, seed, FRAMES), warmUp: WARM_UP })
    const { sent, answered, closed, stuck, busyMs, rssMiB, seconds } = result
    console.log(
      `seed ${seed}: ${sent} frames in ${seconds.toFixed(1)} s, ${answered} answered, ${closed} closed; busy ${Math.round(busyMs)} ms at most, RSS ${Math.round(rssMiB.before)} -> ${Math.round(rssMiB.largest)} MiB`
    )
    expect(stuck).toEqual([])
    expect(sent).toBe(FRAMES)
    expect(Math.min(answered, closed)).toBeGreaterThan(FRAMES / 100)
    expect(busyMs).toBeLessThan(BUSY_MS_MAX)
    expect(rssMiB.largest - rssMiB.before).toBeLessThan(RSS_GROWTH_MIB_MAX)
    expect(served.log()).toBe('')
  }, 120_000)

  test('come out the same for the same seed, of every kind, and otherwise for another', () => {
    const some = (of: number) => Array.from({ length: 1000 }, (_, number) => mutantOf(prepared.frames, of, number))
    expect(some(7)).toEqual(some(7))
    expect(some(7)).not.toEqual(some(8))
    expect(new Set(some(7).map(({ kind }) => kind))).toEqual(new Set(mutationKinds))
  })
})
