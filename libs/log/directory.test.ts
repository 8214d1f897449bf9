import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import { afterEach, beforeEach, expect, test } from 'vitest'
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
