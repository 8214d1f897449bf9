import { expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../suites/random.ts'
import { diskFullCycles } from './cycles.ts'
import { smallDisk } from './small-disk.ts'

const seed = seedOfRun()
const CYCLES = Number(process.env['ASSAY_CYCLES'] ?? 500)

test(`a disk that runs full ${CYCLES} times costs nothing that was acknowledged (seed ${seed})`, async () => {
  const disk = smallDisk(40)
  if (disk === undefined) return console.log('skipped: this user may not mount a file system')
  try {
    const { anomalies, acknowledged, refused, recoveredMsMax } = await diskFullCycles(disk, {
      cycles: CYCLES,
      random: randomOf(seed)
    })
    console.log(
      `seed ${seed}: ${acknowledged} acknowledged, ${refused} refused, ${Math.round(recoveredMsMax)} ms until writes at most`
    )
    expect(anomalies).toEqual([])
    expect(refused).toBeGreaterThanOrEqual(CYCLES)
  } finally {
    disk.unmount()
  }
}, 3_600_000)
