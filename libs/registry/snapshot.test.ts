import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartitionLog } from '@assay/log'
import { encodeBatch } from '@assay/records'
import { systemClock } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import type { Change } from './changes.ts'
import { encodeChange } from './journal.ts'
import { openRegistry, type Registry } from './registry.ts'
import { crcOf, type SnapshotStore, snapshotOf } from './snapshot.ts'
import { snapshotFile } from './snapshot-file.ts'
import type { State } from './subjects.ts'
import { openTestLog } from './test/log.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)

const opened: Registry[] = []
afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close()
})

async function open(log: PartitionLog, snapshots?: SnapshotStore, snapshotEveryRecords = 10): Promise<Registry> {
  const registry = await openRegistry({
    log,
    clock: systemClock,
    ...(snapshots && { snapshots }),
    limits: { snapshotEveryRecords }
  })
  opened.push(registry)
  return registry
}

/** In memory, with a count of what was written. */
function memorySnapshots(bytes?: Buffer): SnapshotStore & { bytes: Buffer | undefined; writes: number } {
  return {
    bytes,
    writes: 0,
    async *read() {
      // Pieces that cut batches anywhere.
      for (let at = 0; at < (this.bytes?.length ?? 0); at += 777) yield this.bytes!.subarray(at, at + 777)
    },
    async write(pieces) {
      this.bytes = await whole(pieces)
      this.writes++
    }
  }
}

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** All of a state that anybody could see, in an order of its own. */
function seen(state: State): unknown {
  const sorted = <K, V>(map: Map<K, V>) => [...map].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return {
    contexts: sorted(state.contexts).map(([, { name, maxId, isListed, schemas, idByFingerprint }]) => ({
      name,
      maxId,
      isListed,
      ids: sorted(idByFingerprint),
      schemas: [...schemas.values()].map(({ id, text, references, metadata, ruleSet, fingerprint, versions }) => ({
        ...{ id, text, references, metadata, ruleSet, fingerprint },
        versions: [...versions].map(({ subject, version }) => `${subject} ${version}`)
      }))
    })),
    subjects: sorted(state.subjects).map(([name, versions]) => [
      name,
      versions.map(({ version, schema, deleted, timestampMs }) => ({ version, id: schema.id, deleted, timestampMs }))
    ]),
    referrers: sorted(state.referrers).map(([key, versions]) => [
      key,
      [...versions].map(v => `${v.subject} ${v.version}`).sort()
    ]),
    configs: sorted(state.configs),
    modes: sorted(state.modes)
  }
}

function randomOf(from: number): (below: number) => number {
  let state = from >>> 0
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Changes as logs of others could hold them, odd ones included. */
function randomChange(random: (below: number) => number): Change {
  const context = ['', '', ':.a:', ':.b:'][random(4)]!
  const subject = `${context}s${random(4)}`
  const version = 1 + random(4)
  switch (random(12)) {
    case 0:
      return { type: 'tombstone', subject, version }
    case 1:
      return { type: 'deleteSubject', subject, upTo: version }
    case 2:
      return {
        type: 'config',
        subject: [subject, null, ':.a:'][random(3)]!,
        config: random(3) ? { compatibilityLevel: 'FULL', other: random(9) } : undefined
      }
    case 3:
      return { type: 'mode', subject: [subject, null, ':.a:'][random(3)]!, mode: random(3) ? 'READONLY' : undefined }
    case 4:
      return { type: 'maxId', context: ['.', '.a', '.c'][random(3)]!, maxId: random(30) }
    case 5:
      return random(2)
        ? { type: 'context', context: '.a', exists: random(2) === 0 }
        : { type: 'clearSubject', subject: random(2) ? subject : null }
    default: {
      const size = 1 + random(6)
      const references = random(4) ? [] : [{ name: 'F', subject: `s${random(4)}`, version }]
      const metadata = random(4) ? undefined : { properties: { p: String(random(3)) } }
      const content = {
        schemaType: 'AVRO',
        text: `{"type":"fixed","name":"F","size":${size}}`,
        references,
        metadata,
        ruleSet: undefined
      }
      // An ID now and then stands for two contents, or one content for two IDs.
      return {
        type: 'schema',
        subject,
        version,
        id: random(10) ? size + 10 * references.length : 1 + random(20),
        content,
        deleted: random(4) === 0
      }
    }
  }
}

async function append(log: PartitionLog, changes: readonly Change[], timestampMs: number): Promise<void> {
  await log.append(encodeBatch({ records: changes.map(encodeChange), baseTimestampMs: timestampMs }))
}

describe(`random histories (seed ${seed})`, () => {
  test.each(Array.from({ length: 40 }, (_, at) => seed + at))(
    'history %i: with a snapshot at any time the state is the same',
    async from => {
      const random = randomOf(from)
      const log = await openTestLog()
      const live = await open(log)
      const taken: { readonly pieces: AsyncIterable<Buffer>; read?: Buffer }[] = []
      for (let step = 1; step <= 40; step++) {
        await append(
          log,
          Array.from({ length: 1 + random(4) }, () => randomChange(random)),
          step * 1000
        )
        await live.catchUp()
        if (random(6) > 0) continue
        const [last] = (await log.read(log.highWatermark - 1, { bytesMax: 1 })) as [Buffer]
        // Its pieces are read now, or only when the state has moved on.
        const snapshot = { pieces: snapshotOf(live.state, { nextOffset: log.highWatermark, lastCrc: crcOf(last) }) }
        taken.push(random(2) ? { ...snapshot, read: await whole(snapshot.pieces) } : snapshot)
      }
      const replayed = await open(log)
      expect(seen(live.state)).toEqual(seen(replayed.state))
      for (const { pieces, read } of taken) {
        const restored = await open(log, memorySnapshots(read ?? (await whole(pieces))))
        expect(seen(restored.state)).toEqual(seen(replayed.state))
      }
    }
  )
})

describe('a snapshot', () => {
  const fixed = (size: number): string => JSON.stringify({ type: 'fixed', name: 'F', size })

  async function filled(snapshots: SnapshotStore): Promise<PartitionLog> {
    const log = await openTestLog()
    const registry = await open(log, snapshots)
    for (let size = 1; size <= 30; size++) await registry.register(`s${size % 7}`, { schema: fixed(size) }, { force: true })
    await registry.deleteVersion('s1', 1)
    await registry.close()
    return log
  }

  test('is written as the journal grows and at the end, and is read at the start', async () => {
    const snapshots = memorySnapshots()
    const log = await filled(snapshots)
    expect(snapshots.writes).toBeGreaterThan(1)
    let reads = 0
    const counting = Object.create(log, {
      read: { value: (...args: Parameters<PartitionLog['read']>) => log.read(...args).finally(() => reads++) }
    }) as PartitionLog
    const registry = await open(counting, snapshots)
    expect(reads, 'the one batch by which the journal is known').toBe(1)
    expect(registry.subjects()).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6'])
    expect(registry.versions('s1', { deletedAsNegative: true })).toEqual([-1, 2, 3, 4, 5])
    expect(await registry.register('s1', { schema: fixed(99) }, { force: true })).toMatchObject({ id: 31, version: 6 })
  })

  test('damaged in any byte, or cut anywhere, never changes what comes of it', async () => {
    const snapshots = memorySnapshots()
    const log = await filled(snapshots)
    const right = seen((await open(log)).state)
    const bytes = snapshots.bytes!
    const random = randomOf(seed)
    for (let turn = 0; turn < 150; turn++) {
      const damaged = Buffer.from(bytes)
      const at = random(bytes.length)
      damaged[at] = damaged[at]! ^ (1 << random(8))
      const cut = turn % 5 === 0 ? bytes.subarray(0, at) : damaged
      const registry = await openRegistry({
        log,
        clock: systemClock,
        snapshots: memorySnapshots(cut),
        limits: { snapshotEveryRecords: 1e9 }
      })
      expect(seen(registry.state), `byte ${at}, seed ${seed}`).toEqual(right)
      await registry.close()
    }
  })

  test('of another journal, and one that reaches beyond the end, is passed over', async () => {
    const snapshots = memorySnapshots()
    await filled(snapshots)
    const other = await openTestLog()
    for (let at = 0; at < 100; at++) await append(other, [{ type: 'mode', subject: `m${at}`, mode: 'READONLY' }], 1)
    expect((await open(other, memorySnapshots(snapshots.bytes))).subjects()).toEqual([])
    expect((await open(await openTestLog(), memorySnapshots(snapshots.bytes))).subjects()).toEqual([])
  })

  test('in a file: a failure leaves the one before, and no leftovers', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'snapshot-'))
    try {
      const file = snapshotFile(join(directory, 'registry.snapshot'))
      expect(await whole(file.read())).toHaveLength(0)
      const pieces = async function* (...texts: (string | Error)[]): AsyncGenerator<Buffer> {
        for (const text of texts) {
          if (text instanceof Error) throw text
          yield Buffer.from(text)
        }
      }
      await file.write(pieces('one', ' two'))
      await expect(file.write(pieces('three', new Error('no more')))).rejects.toThrow('no more')
      expect(String(await whole(file.read()))).toBe('one two')
      expect(await readdir(directory)).toEqual(['registry.snapshot'])
      await writeFile(join(directory, 'registry.snapshot.new'), 'half of one')
      await file.write(pieces('four'))
      expect(String(await whole(file.read()))).toBe('four')
      expect(await readdir(directory)).toEqual(['registry.snapshot'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
