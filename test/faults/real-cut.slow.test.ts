import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { native } from './powercut/native.ts'
import { loopDisk, realCuts } from './real-cuts.ts'

const seed = seedOfRun()
const CUTS = Number(process.env['ASSAY_CUTS'] ?? 200)
const godown = native('godown')

test(`${CUTS} real power cuts under ext4 lose nothing that was acknowledged (seed ${seed})`, async ({ skip }) => {
  if ('reason' in godown) return skip(godown.reason)
  const disk = loopDisk(godown.path)
  if ('reason' in disk) return skip(disk.reason)
  try {
    const { acknowledged, anomalies } = await realCuts(disk, { cuts: CUTS, seed })
    console.log(`seed ${seed}: ${CUTS} cuts, ${acknowledged} acknowledged batches looked for`)
    expect(anomalies).toEqual([])
  } finally {
    disk.remove()
  }
}, 3_600_000)
