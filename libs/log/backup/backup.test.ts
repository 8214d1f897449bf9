import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBatch } from '@assay/records'
import { type Clock, silentLogger, systemClock } from '@assay/std'
import { afterAll, describe, expect, test } from 'vitest'
import { openLog } from '../directory.ts'
import type { Log } from '../log.ts'
import { findings } from '../offline/finding.ts'
import { keepForever } from '../retention-settings.ts'
import { batchOf, TOPIC_A, TOPIC_B, testClock } from '../test/logs.ts'
import { decodeFrames, encodeFrame } from './frames.ts'
import { readManifest } from './manifest.ts'
import { receiveBackup } from './receive.ts'
import { examineBackup, restoreLog } from './restore.ts'
import { takeBackup } from './take.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-backup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const fresh = (): string => join(root, `${made++}`)

const open = (directory: string, clock: Clock = systemClock): Promise<Log> =>
  openLog({ directory, clock, logger: silentLogger, segmentBytes: 8_000, checkpointBytes: 6_000 })
const A = { topicId: TOPIC_A, partition: 0 }
const B = { topicId: TOPIC_B, partition: 3 }

/** Both partitions get the same names in one append. */
async function append(log: Log, count: number, from = 0): Promise<void> {
  const appends = Array.from({ length: count }, (_, at) => {
    const value = `${from + at}-${'v'.repeat(900)}`
    return log.appendAll([A, B].map(key => ({ log: log.partition(key), batch: batchOf(value, { count: 5 }) })))
  })
  await Promise.all(appends)
}

async function valuesOf(log: Log, key: typeof A): Promise<string[]> {
  const values: string[] = []
  const partition = log.partition(key)
  for (let from = partition.startOffset; from < partition.highWatermark; ) {
    for (const batch of await partition.read(from, { bytesMax: 1 << 20 })) {
      for (const { offset, value } of decodeBatch(batch, 1 << 20)) {
        if (offset >= from) values.push(String(value))
        from = offset + 1
      }
    }
  }
  return values
}

async function restored(backup: string, work: (log: Log) => Promise<void>): Promise<void> {
  const directory = fresh()
  await restoreLog(backup, await readManifest(backup), directory, { clock: systemClock })
  const log = await open(directory)
  try {
    await work(log)
  } finally {
    await log.close()
  }
}

async function withLog(work: (log: Log) => Promise<void>, clock?: Clock): Promise<void> {
  const log = await open(fresh(), clock)
  try {
    await work(log)
  } finally {
    await log.close()
  }
}

async function bytesOf(frames: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const frame of frames) all.push(frame)
  return Buffer.concat(all)
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const parts = (log: Log, clock: Clock = systemClock) => ({ log, clusterId: 'c'.repeat(22), clock })

test('what is appended after the first frame is not in it, and appends to several partitions are in it as a whole', () =>
  withLog(async log => {
    await append(log, 40)
    const frames = takeBackup(parts(log))
    const first = await frames.next()
    await append(log, 40, 40)
    async function* rest() {
      yield first.value as Buffer
      yield* frames
    }
    const backup = fresh()
    const manifest = await receiveBackup(rest(), backup)
    expect(manifest.partitions.map(({ endOffset, batches }) => ({ endOffset, batches }))).toEqual(
      Array(2).fill({ endOffset: 200, batches: 40 })
    )
    await restored(backup, async again => {
      const [a, b] = [await valuesOf(again, A), await valuesOf(again, B)]
      expect(a).toEqual((await valuesOf(log, A)).slice(0, 200))
      expect(b).toEqual(a)
      expect(again.partition(A).logEndOffset).toBe(200)
    })
    const found = findings()
    await examineBackup(backup, manifest, { found })
    expect(found.all).toEqual([])
  }))

test.each<[string, (log: Log) => Promise<unknown>, number]>([
  ['records that are deleted', log => log.deleteRecords(log.partition(B), 2003), 2003],
  ['all records that are deleted', log => log.deleteRecords(log.partition(B), 3000), 3000],
  ['a topic that is deleted', log => log.drop(TOPIC_B), 3000]
])('%s while it is taken are not in it', (_name, remove, startOffset) =>
  withLog(async log => {
    await append(log, 600)
    const frames = takeBackup(parts(log))
    async function* disturbed() {
      let isDone = false
      for await (const frame of frames) {
        yield frame
        const { value } = await decodeFrames(inPieces(frame, frame.length)).next()
        if (isDone || value!.head.kind !== 'batches' || value!.head.at !== 1) continue
        isDone = true
        await remove(log)
      }
      expect(isDone).toBe(true)
    }
    const backup = fresh()
    const { partitions } = await receiveBackup(disturbed(), backup)
    expect(partitions[1]).toMatchObject({ topicId: TOPIC_B, startOffset, endOffset: 3000 })
    expect(partitions[0]).toMatchObject({ topicId: TOPIC_A, startOffset: 0, endOffset: 3000 })
    await restored(backup, async again => {
      expect(again.partition(B)).toMatchObject({ startOffset, logEndOffset: 3000 })
      expect(await valuesOf(again, A)).toEqual(await valuesOf(log, A))
      if (startOffset < 3000) expect(await valuesOf(again, B)).toEqual(await valuesOf(log, B))
      expect(await again.partition(B).append(batchOf('next'))).toMatchObject({ baseOffset: 3000 })
    })
  })
)

describe('retention', () => {
  const expireAll = async (log: Log): Promise<void> => {
    log.retainBy(() => ({ ...keepForever, retentionBytes: 0 }))
    await log.upkeep()
  }

  test('waits until it has been taken, or nobody wants the rest', () =>
    withLog(async log => {
      await append(log, 20)
      for (const end of [
        async (frames: AsyncGenerator<Buffer>) => void (await bytesOf(frames)),
        async (frames: AsyncGenerator<Buffer>) => void (await frames.return(undefined))
      ]) {
        await append(log, 20)
        const { startOffset, highWatermark } = log.partition(A)
        const frames = takeBackup(parts(log))
        await frames.next()
        await expireAll(log)
        expect(log.partition(A).startOffset).toBe(startOffset)
        await end(frames)
        await expect.poll(() => log.partition(A).startOffset).toBe(highWatermark)
      }
    }))

  test('waits for nobody who takes nothing, and he is told', async () => {
    const clock = testClock()
    await withLog(async log => {
      await append(log, 20)
      const frames = takeBackup(parts(log, clock))
      const first = (await frames.next()).value as Buffer
      clock.advance(60_000)
      await expireAll(log)
      expect(log.partition(A).startOffset).toBe(100)
      async function* rest() {
        yield first
        yield* frames
      }
      await expect(receiveBackup(rest(), fresh())).rejects.toThrow(/nothing was taken for 60 s/)
    }, clock)
  })
})

test('a damaged batch ends it: a backup is whole or none', async () => {
  const directory = fresh()
  const filling = await open(directory)
  await append(filling, 20)
  await filling.close()
  await (await open(directory)).close()
  const journal = join(directory, 'journal')
  const segments = readdirSync(journal).filter(name => name.endsWith('.segment'))
  const path = join(journal, segments[0]!)
  const bytes = readFileSync(path)
  bytes[bytes.indexOf('v'.repeat(50)) + 20]! ^= 1
  writeFileSync(path, bytes)
  const log = await open(directory)
  const backup = fresh()
  await expect(receiveBackup(takeBackup(parts(log)), backup)).rejects.toThrow(/could not back up: Partition .* is damaged/)
  await expect(readManifest(backup)).rejects.toThrow(/no backup, or one that was cut off/)
  await log.close()
})

test('a stream that is cut anywhere, or in which a byte is flipped, is not taken for a backup', async () => {
  let bytes = Buffer.alloc(0)
  await withLog(async log => {
    await append(log, 3)
    bytes = Buffer.from(await bytesOf(takeBackup(parts(log))))
  })
  const backup = fresh()
  await receiveBackup(inPieces(bytes, 7), backup)
  expect(readdirSync(join(backup, 'partitions'))).toHaveLength(2)
  expect(JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8'))).toMatchObject({ backup: { format: 1 } })
  for (let at = 0; at < bytes.length; at += at < 500 || at > bytes.length - 100 ? 1 : 97) {
    const target = fresh()
    await expect(receiveBackup(inPieces(bytes.subarray(0, at), 10_000), target), `cut at ${at}`).rejects.toThrow(/damaged/)
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << (at % 8)
    await expect(receiveBackup(inPieces(flipped, 10_000), target), `flipped at ${at}`).rejects.toThrow(/damaged/)
    rmSync(target, { recursive: true, force: true })
  }
})

const begin = { kind: 'begin', format: 1, clusterId: '', takenAtMs: 0, partitions: [] } as const

test.each<[string, Buffer[], RegExp]>([
  ['nothing', [], /does not begin/],
  ['a later format', [encodeFrame({ ...begin, format: 2 })], /format 2 and this is for format 1/],
  [
    'a file name for a topic',
    [encodeFrame({ ...begin, partitions: [{ topicId: '../../x', partition: 0, startOffset: 0, endOffset: 1 }] })],
    /not readable/
  ],
  ['a partition that was not named', [encodeFrame(begin), encodeFrame({ kind: 'batches', at: 0, bytes: 0 })], /out of turn/],
  ['a huge head', [Buffer.from('ffffffff00000000', 'hex')], /claims a head/],
  ['a huge payload', [encodeFrame(begin), encodeFrame({ kind: 'batches', at: 0, bytes: 2 ** 40 })], /claims 1099511627776 bytes/],
  [
    'a failure of the server',
    [encodeFrame(begin), encodeFrame({ kind: 'failed', message: 'the disk is gone' })],
    /the disk is gone/
  ],
  [
    'counts that do not fit',
    [encodeFrame(begin), encodeFrame({ kind: 'end', batches: 1, bytes: 5 })],
    /0 batches of 0 bytes arrived/
  ]
])('a stream with %s is refused', async (_name, frames, says) => {
  await expect(receiveBackup(inPieces(Buffer.concat(frames), 5), fresh())).rejects.toThrow(says)
})
