import { expect, test } from 'vitest'
import { measureScale } from './measure.ts'

const SUBJECTS = 20_000
const VERSIONS_PER_SUBJECT = 5
const DELETED_SUBJECTS = 2000
const READY_MS_MAX = 2000
const RSS_MIB_MAX = 400
/** Of the share that the deleted versions have in the heap: the rest is what their deletion left in caches. */
const GIVEN_BACK_MIN = 0.7

test('a registry of 100,000 versions starts from its snapshot, fits into memory, and gives back what is deleted', async () => {
  const figures = await measureScale({
    subjects: SUBJECTS,
    versionsPerSubject: VERSIONS_PER_SUBJECT,
    deletedSubjects: DELETED_SUBJECTS,
    say: what => console.log(what)
  })
  const { versions, readyMs, rssMiB, deletedVersions, heapMiB, faults } = figures
  expect(faults.slice(0, 20)).toEqual([])
  expect(Math.min(...readyMs)).toBeLessThan(READY_MS_MAX)
  expect(rssMiB).not.toBeGreaterThan(RSS_MIB_MAX)
  const share = ((heapMiB.full - heapMiB.empty) * deletedVersions) / versions
  expect(heapMiB.full - heapMiB.afterDeletes).toBeGreaterThan(share * GIVEN_BACK_MIN)
})
