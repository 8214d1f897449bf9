import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openLog } from './directory.ts'
import type { Log, PartitionLog } from './log.ts'
import { batchOf, TOPIC_A, TOPIC_B } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B3 = { topicId: TOPIC_B, partition: 3 }
const SEGMENT = '0'.repeat(16)

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'assay-log-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const open = (): Promise<Log> => openLog({ directory, clock: systemClock, logger: silentLogger })

async function allValues(log: PartitionLog): Promise<string[]> {
  const values: string[] = []
  for (let next = log.startOffset; next < log.highWatermark; next = values.length) {
    const batches = await log.read(next, { bytesMax: 1 << 20 })
    for (const { offset, value } of batches.flatMap(batch => decodeBatch(batch, 1 << 20))) {
      expect(offset).toBe(values.length)
      values.push(value!.toString())
    }
  }
  return values
}

test('a log is made in an empty directory and found again', async () => {
  const log = await open()
  await log.partition(A0).append(batchOf('x', { count: 2 }))
  await log.close()
  expect((await readdir(directory)).sort()).toEqual(['index', 'journal'])
  expect(await readdir(join(directory, 'journal'))).toEqual([SEGMENT])
  const again = await open()
  expect(await allValues(again.partition(A0))).toEqual(['x.0', 'x.1'])
  await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await again.close()
})

test.each([
  ['the journal', (): Promise<void> => rename(join(directory, 'journal'), join(directory, 'lost')), 'STORE_CORRUPT'],
  [
    'the journal in favour of an empty one',
    async () => {
      await rename(join(directory, 'journal'), join(directory, 'lost'))
      await mkdir(join(directory, 'journal', SEGMENT), { recursive: true })
    },
    'STORE_CORRUPT'
  ],
  [
    'the first segment',
    (): Promise<void> => rename(join(directory, 'journal', SEGMENT), join(directory, 'journal', `1${SEGMENT.slice(1)}`)),
    'STORE_CORRUPT'
  ],
  ['CURRENT', (): Promise<void> => rm(join(directory, 'journal', SEGMENT, 'CURRENT')), 'STORE_CORRUPT']
])('without %s it does not open as an empty one', async (_name, damage, code) => {
  const log = await open()
  await log.partition(A0).append(batchOf('x'))
  await log.close()
  await damage()
  await expect(open()).rejects.toMatchObject({ code })
})

describe('files that are missing or torn are told of by their name, and nothing is opened as if it were new', () => {
  const partOf = async (place: string, pattern: RegExp): Promise<string> => {
    const name = (await readdir(join(directory, place))).find(entry => pattern.test(entry))
    if (name === undefined) throw new Error(`${place} has no file like ${pattern}`)
    return join(directory, place, name)
  }
  const missing = (pattern: RegExp) => async (place: string) => rm(await partOf(place, pattern))
  const torn = (pattern: RegExp) => async (place: string) => {
    const path = await partOf(place, pattern)
    await truncate(path, Math.floor((await stat(path)).size / 2))
  }
  const emptied = (pattern: RegExp) => async (place: string) => truncate(await partOf(place, pattern), 0)

  const damages: [string, (place: string) => Promise<void>, RegExp][] = [
    ['CURRENT is missing', missing(/^CURRENT$/), /CURRENT is missing/],
    ['CURRENT is empty', emptied(/^CURRENT$/), /CURRENT names no manifest/],
    ['the manifest is missing', missing(/^MANIFEST-/), /MANIFEST-\d+ is missing or empty/],
    ['the manifest is empty', emptied(/^MANIFEST-/), /MANIFEST-\d+ is missing or empty/],
    ['the manifest is torn', torn(/^MANIFEST-/), /is damaged/],
    ['a table is missing', missing(/\.ldb$/), /missing files/],
    ['the marker is empty', emptied(/^ASSAY$/), /ASSAY is not readable/]
  ]

  let whole: string
  beforeAll(async () => {
    whole = await mkdtemp(join(tmpdir(), 'assay-whole-'))
    const openWhole = () => openLog({ directory: whole, clock: systemClock, logger: silentLogger })
    const log = await openWhole()
    for (let count = 0; count < 20; count++) await log.partition(A0).append(batchOf(`x${count}`, { count: 10 }))
    await log.close()
    // The second opening makes a table of what was only in LevelDB's log.
    await (await openWhole()).close()
  })
  afterAll(() => rm(whole, { recursive: true, force: true }))

  const filled = (): Promise<void> => cp(whole, directory, { recursive: true })

  describe.each([
    ['the segment', join('journal', SEGMENT)],
    ['the index', 'index']
  ])('in %s', (_name, place) => {
    test.each(damages)('%s', async (_what, damage, reason) => {
      await filled()
      await damage(place)
      const refused = open()
      await expect(refused).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      await expect(refused).rejects.toThrow(reason)
      await expect(refused).rejects.toThrow(join(directory, place))
    })

    test('the marker is missing', async () => {
      await filled()
      await missing(/^ASSAY$/)(place)
      await expect(open()).rejects.toMatchObject({ code: 'STORE_NOT_OURS' })
    })
  })

  test('a torn table of the segment is found when the end of a partition is looked for in it', async () => {
    await filled()
    await torn(/\.ldb$/)(join('journal', SEGMENT))
    const refused = open()
    await expect(refused).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(refused).rejects.toThrow(/\.ldb/)
  })

  test('what is left of an interrupted creation is cleared away, and the log is made', async () => {
    for (const name of ['journal', 'index']) {
      await mkdir(join(directory, name, `${SEGMENT}.creating-x1y2z3`), { recursive: true })
      await writeFile(join(directory, name, `${SEGMENT}.creating-x1y2z3`, 'MANIFEST-000001'), '')
    }
    await rm(join(directory, 'index'), { recursive: true })
    await mkdir(join(directory, 'index.creating-x1y2z3'))
    const log = await open()
    expect(await log.partition(A0).append(batchOf('x'))).toMatchObject({ baseOffset: 0 })
    await log.close()
    expect((await readdir(directory)).sort()).toEqual(['index', 'journal'])
    expect(await readdir(join(directory, 'journal'))).toEqual([SEGMENT])
  })

  test('a creation that ended between journal and index goes on', async () => {
    await (await open()).close()
    await rm(join(directory, 'index'), { recursive: true })
    const log = await open()
    expect(await log.partition(A0).append(batchOf('x'))).toMatchObject({ baseOffset: 0 })
    await log.close()
  })
})

test('a second process is refused, and the first goes on', async () => {
  const script = join(import.meta.dirname, 'test', 'writer.ts')
  const child = spawn(process.execPath, ['--conditions=source', script, directory, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'open') await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
      else if (++lines === 20) break
    }
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  } finally {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }
  await (await open()).close()
})

test('without its index it opens with all that the journal holds', async () => {
  const log = await open()
  await log.partition(A0).append(batchOf('x'))
  await log.close()
  await rm(join(directory, 'index'), { recursive: true })
  const again = await open()
  expect(await allValues(again.partition(A0))).toEqual(['x.0'])
  await again.close()
})

test('killed in the middle of writing, again and again, it has all that was acknowledged, and both of each pair', async () => {
  const acknowledged: { readonly offset: number; readonly name: string }[] = []
  for (let round = 0; round < 5; round++) {
    acknowledged.push(...(await writeUntilKilled(round)))
    const log = await open()
    const [a, b] = [await allValues(log.partition(A0)), await allValues(log.partition(B3))]
    expect(a).toEqual(b)
    expect(new Set(a).size).toBe(a.length)
    for (const { offset, name } of acknowledged) expect(a[offset]).toBe(`${name}.0`)
    await log.close()
  }
  expect(acknowledged.length).toBeGreaterThan(5)
})

async function writeUntilKilled(round: number): Promise<{ offset: number; name: string }[]> {
  const script = join(import.meta.dirname, 'test', 'writer.ts')
  const child = spawn(process.execPath, ['--conditions=source', script, directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const closed = once(child, 'close')
  const told: { offset: number; name: string }[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'open') {
      void pause(20 + round * 40).then(() => child.kill('SIGKILL'))
      continue
    }
    const [ofA, ofB, name, end] = line.split(' ')
    // The last line may be cut off.
    if (name === undefined || end !== '.') continue
    expect(ofA).toBe(ofB)
    told.push({ offset: Number(ofA), name })
  }
  await closed
  return told
}
