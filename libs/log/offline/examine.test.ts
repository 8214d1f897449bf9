import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AssayError } from '@assay/errors'
import { decodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLog } from '../directory.ts'
import type { PartitionLog } from '../log.ts'
import { keepForever } from '../retention-settings.ts'
import { batchOf, TOPIC_A, TOPIC_B } from '../test/logs.ts'
import { examineData, withExamined } from './examine.ts'
import { makeDirectory } from './new-directory.ts'
import { type Salvage, salvage } from './salvage.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-examine-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const fresh = (): string => join(root, `${made++}`)

const open = (directory: string) =>
  openLog({ directory, clock: systemClock, logger: silentLogger, segmentBytes: 8_000, checkpointBytes: 6_000 })
const examine = (directory: string) => examineData({ directory, clock: systemClock, scratchIn: root })

/** Several segments, deleted and compacted records, an idempotent producer, two topics. */
async function fill(directory: string): Promise<void> {
  const log = await open(directory)
  const [a, b, c] = [
    log.partition({ topicId: TOPIC_A, partition: 0 }),
    log.partition({ topicId: TOPIC_A, partition: 1 }),
    log.partition({ topicId: TOPIC_B, partition: 0 })
  ]
  for (let at = 0; at < 120; at++) {
    const keyed = batchOf(`k${at}`, { keys: [`key-${at % 7}`] })
    await log.appendAll([
      { log: a, batch: batchOf(`a${at}`, { count: 3, producerId: 7, producerEpoch: 0, baseSequence: at * 3 }) },
      { log: b, batch: batchOf(`b${at}`, { count: 2 }) },
      { log: c, batch: keyed }
    ])
  }
  log.retainBy(topicId => (topicId === TOPIC_B ? { ...keepForever, cleanup: 'compact', minCleanableDirtyRatio: 0 } : keepForever))
  await log.deleteRecords(b, 101)
  await log.upkeep()
  await a.append(batchOf('last', { count: 3 }))
  await log.close()
  // Older segments are opened to be read, and then have tables.
  const again = await open(directory)
  await recordsOf(again.partition({ topicId: TOPIC_A, partition: 0 }))
  await again.close()
}

const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name => statSync(join(directory, name)).isFile())
const contentOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    filesOf(directory).map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex')
    ])
  )

async function recordsOf(partition: PartitionLog): Promise<Map<number, string>> {
  const records = new Map<number, string>()
  for (let from = partition.startOffset; from < partition.highWatermark; ) {
    for (const batch of await partition.read(from, { bytesMax: 1 << 20 })) {
      for (const { offset, value } of decodeBatch(batch, 1 << 20)) {
        if (offset >= from) records.set(offset, String(value))
      }
      from = Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23) + 1
    }
  }
  return records
}

async function contentsOf(directory: string) {
  const log = await open(directory)
  const contents = new Map<string, { start: number; end: number; records: Map<number, string> }>()
  for (const partition of log.partitions()) {
    const { topicId, partition: number } = partition.key
    const { startOffset: start, logEndOffset: end } = partition
    contents.set(`${topicId}-${number}`, { start, end, records: await recordsOf(partition) })
  }
  await log.close()
  return contents
}

async function repair(directory: string, target: string): Promise<Salvage> {
  let saved: Salvage | undefined
  await withExamined({ directory, clock: systemClock, scratchIn: root }, async examined => {
    await makeDirectory(target, 'repairing', async inner => {
      saved = await salvage(examined, inner, { clock: systemClock })
    })
  })
  return saved!
}

let sound: string
beforeAll(async () => {
  sound = fresh()
  await fill(sound)
})

function copied(): string {
  const directory = fresh()
  cpSync(sound, directory, { recursive: true })
  return directory
}

test('a log that was closed is sound, and one that was killed as well; nothing in them changes', async () => {
  const before = contentOf(sound)
  const examination = await examine(sound)
  expect(examination).toMatchObject({ findings: [], more: 0, isSound: true, partitions: 3 })
  expect(examination.segments).toBeGreaterThan(2)
  expect(contentOf(sound)).toEqual(before)

  const running = fresh()
  const log = await open(running)
  for (let at = 0; at < 30; at++) await log.partition({ topicId: TOPIC_A, partition: 0 }).append(batchOf(`r${at}`, { count: 9 }))
  const killed = fresh()
  cpSync(running, killed, { recursive: true })
  await log.close()
  expect(await examine(killed)).toMatchObject({ isSound: true, findings: [] })
  expect(readdirSync(root).filter(name => name.startsWith('assay-scratch'))).toEqual([])
})

test('while somebody has it open it is not examined; where there is no log there is nothing to examine', async () => {
  const directory = copied()
  const log = await open(directory)
  await expect(examine(directory)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await log.close()
  await expect(examine(root)).rejects.toMatchObject({ code: 'STORE_NOT_OURS' })
  await expect(examine(join(root, 'absent'))).rejects.toMatchObject({ code: 'STORE_NOT_OURS' })
  writeFileSync(join(directory, 'index', 'ASSAY'), 'assay store 2\n')
  await expect(examine(directory)).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
})

/** What LevelDB tells to people, and a lock. */
const isTalk = (name: string): boolean => /(^|\/)(LOG(\.old)?|LOCK)$/.test(name)

test('a flipped byte in any file is found, and a repair keeps the rest', async () => {
  const whole = await contentsOf(copied())
  const directory = copied()
  for (const [nth, name] of filesOf(directory)
    .filter(file => !isTalk(file))
    .entries()) {
    const path = join(directory, name)
    const bytes = readFileSync(path)
    if (bytes.length === 0) continue
    const at = (nth * 7919) % bytes.length
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << (nth % 8)
    writeFileSync(path, flipped)
    let isSound: boolean | string
    try {
      isSound = (await examine(directory)).isSound
    } catch (error) {
      isSound = (error as AssayError).code
    }
    expect([false, 'UNSUPPORTED_VERSION'], `${name} byte ${at}`).toContain(isSound)
    writeFileSync(path, bytes)
  }
  expect((await examine(directory)).isSound).toBe(true)
  expect(await contentsOf(directory)).toEqual(whole)
}, 60_000)

/** Where a value lies in a segment of the journal; batches are stored as they are. */
function placeOf(directory: string, text: string): { readonly path: string; readonly at: number } {
  for (const name of filesOf(join(directory, 'journal'))) {
    const path = join(directory, 'journal', name)
    if (!name.endsWith('.segment')) continue
    const at = readFileSync(path).indexOf(text)
    if (at >= 0) return { path, at }
  }
  throw new Error(`${text} is nowhere`)
}

const segmentsOf = (directory: string): string[] =>
  readdirSync(join(directory, 'journal'))
    .filter(name => name.endsWith('.segment'))
    .sort()
    .map(name => join(directory, 'journal', name))

test('what was being written when power went is noted, and the rest is sound', async () => {
  const directory = copied()
  const newest = segmentsOf(directory).at(-1)!
  const whole = readFileSync(newest)
  const frame = Buffer.from('41534652010000000000', 'hex')
  writeFileSync(newest, Buffer.concat([whole, frame]))
  const before = contentOf(directory)
  const { findings, isSound } = await examine(directory)
  expect(findings).toMatchObject([{ severity: 'note', file: newest, at: whole.length }])
  expect(isSound).toBe(true)
  expect(contentOf(directory)).toEqual(before)
  const target = fresh()
  expect(await repair(directory, target)).toMatchObject({ losses: [] })
  expect(await contentsOf(target)).toEqual(await contentsOf(copied()))
})

test('the row of files is compared with what the index knows', async () => {
  const directory = copied()
  const [first, , third] = segmentsOf(directory)
  truncateSync(third!, statSync(third!).size - 10)
  writeFileSync(first!, Buffer.concat([readFileSync(first!), Buffer.from('more')]))
  const says = (await examine(directory)).findings.map(finding => finding.says)
  expect(says).toContainEqual(expect.stringMatching(/^no frame begins/))
  expect(says).toContainEqual(expect.stringMatching(/rows \d+ to \d+ were there at the last checkpoint and are missing/))
})

test('wherever a byte of a segment is flipped, a repair loses no more than one batch', async () => {
  const directory = copied()
  const whole = await contentsOf(copied())
  const segment = segmentsOf(directory)[1]!
  const bytes = readFileSync(segment)
  for (let at = 0; at < bytes.length; at += at < 60 ? 20 : Math.ceil(bytes.length / 5)) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << (at % 8)
    writeFileSync(segment, flipped)
    expect((await examine(directory)).isSound, `byte ${at}`).toBe(false)
    const target = fresh()
    const { losses } = await repair(directory, target)
    expect(losses.length, `byte ${at}`).toBeLessThanOrEqual(1)
    expect((await examine(target)).isSound).toBe(true)
    for (const [name, { start, end, records }] of await contentsOf(target)) {
      const expected = new Map(whole.get(name)!.records)
      const { partition, from, to } = losses[0] ?? { partition: { topicId: '', partition: 0 }, from: 0, to: 0 }
      if (name === `${partition.topicId}-${partition.partition}`)
        for (let offset = from; offset <= to; offset++) expected.delete(offset)
      expect({ start, end, records }, `byte ${at}`).toEqual({
        start: whole.get(name)!.start,
        end: whole.get(name)!.end,
        records: expected
      })
    }
    rmSync(target, { recursive: true })
  }
}, 60_000)

describe('a repair', () => {
  test('of a sound log loses nothing: offsets, deletions and producers stay', async () => {
    const [directory, target] = [copied(), fresh()]
    const before = contentOf(directory)
    const saved = await repair(directory, target)
    expect(saved).toMatchObject({ losses: [], partitions: 3 })
    expect(contentOf(directory)).toEqual(before)
    expect(await examine(target)).toMatchObject({ isSound: true, findings: [] })
    expect(await contentsOf(target)).toEqual(await contentsOf(directory))
    const log = await open(target)
    const again = batchOf('a119', { count: 3, producerId: 7, producerEpoch: 0, baseSequence: 119 * 3 })
    expect(await log.partition({ topicId: TOPIC_A, partition: 0 }).append(again)).toMatchObject({ duplicate: true })
    await log.close()
  })

  test('tells what is lost with a damaged batch; offsets around it stay', async () => {
    const [directory, target] = [copied(), fresh()]
    const { path, at } = placeOf(directory, 'a60.1')
    const bytes = readFileSync(path)
    bytes[at]! ^= 2
    writeFileSync(path, bytes)
    const examination = await examine(directory)
    const partition = { topicId: TOPIC_A, partition: 0 }
    expect(examination.findings).toContainEqual(
      expect.objectContaining({
        kind: 'batch',
        severity: 'damage',
        partition,
        from: 180,
        to: 182,
        says: expect.stringMatching(/CRC-32C/)
      })
    )
    const whole = await contentsOf(copied())
    const saved = await repair(directory, target)
    expect(saved.losses).toEqual([{ partition, from: 180, to: 182, records: 3, bytes: expect.any(Number) }])
    expect(await examine(target)).toMatchObject({ isSound: true })
    const name = `${TOPIC_A}-0`
    for (const offset of [180, 181, 182]) whole.get(name)!.records.delete(offset)
    expect(await contentsOf(target)).toEqual(whole)
  })

  test('of a log with a segment gone keeps the end of every partition', async () => {
    const [directory, target] = [copied(), fresh()]
    const doomed = readdirSync(join(directory, 'journal'))
      .filter(name => name.endsWith('.segment'))
      .sort()[1]!
    rmSync(join(directory, 'journal', doomed), { recursive: true })
    const { findings } = await examine(directory)
    expect(findings.map(({ says }) => says)).toContainEqual(
      expect.stringMatching(/segment \d+, with rows \d+ to \d+, is missing/)
    )
    const whole = await contentsOf(copied())
    const saved = await repair(directory, target)
    expect(saved.losses.length).toBeGreaterThan(0)
    expect(await examine(target)).toMatchObject({ isSound: true })
    const after = await contentsOf(target)
    for (const [name, { start, end, records }] of whole) {
      const found = after.get(name)!
      expect({ start: found.start, end: found.end }).toEqual({ start, end })
      const lost = saved.losses.filter(({ partition }) => `${partition.topicId}-${partition.partition}` === name)
      const kept = [...records].filter(([offset]) => !lost.some(({ from, to }) => offset >= from && offset <= to))
      expect(new Map(kept)).toEqual(found.records)
    }
  })

  test('needs no index', async () => {
    const [directory, target] = [copied(), fresh()]
    rmSync(join(directory, 'index'), { recursive: true })
    expect(await examine(directory)).toMatchObject({ isSound: false, findings: [{ kind: 'index' }] })
    await repair(directory, target)
    expect(await examine(target)).toMatchObject({ isSound: true })
    const [whole, after] = [await contentsOf(sound), await contentsOf(target)]
    for (const [name, { end, records }] of whole) {
      expect(after.get(name)!.end).toBe(end)
      for (const [offset, value] of records) expect(after.get(name)!.records.get(offset)).toBe(value)
    }
  })

  test('writes over nothing, and leaves nothing behind when it fails', async () => {
    const directory = copied()
    await expect(repair(directory, copied())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const file = fresh()
    writeFileSync(file, '')
    await expect(repair(directory, file)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const target = fresh()
    const failing = makeDirectory(target, 'repairing', async inner => {
      writeFileSync(join(inner, 'half'), '')
      throw new Error('cut')
    })
    await expect(failing).rejects.toThrow(/cut/)
    expect(readdirSync(root).filter(name => name.includes('repairing'))).toEqual([])
  })
})
