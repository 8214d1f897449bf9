import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartitionLog } from '@assay/log'
import { decodeBatch, encodeBatch, readHeader } from '@assay/records'
import { type Facts, type Logger, silentLogger, systemClock } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import type { Change } from './changes.ts'
import { decodeRecord, encodeChange } from './journal.ts'
import { openRegistry, type Registry } from './registry.ts'
import { beginSnapshot, crcOf, type SnapshotStore, type SnapshotUnderway } from './snapshot.ts'
import { snapshotFile } from './snapshot-file.ts'
import { apply, emptyState, type State } from './subjects.ts'
import { openTestLog } from './test/log.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)

const opened: Registry[] = []
afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close()
})

interface OpenOptions {
  readonly every?: number
  /** Takes what is said about snapshots. */
  readonly warnings?: string[]
}

async function open(log: PartitionLog, snapshots?: SnapshotStore, { every = 10, warnings }: OpenOptions = {}): Promise<Registry> {
  const warn = ({ reason, err }: Facts, message: string): void => {
    if (message.includes('snapshot')) warnings?.push(String(reason ?? err))
  }
  const logger: Logger = { ...silentLogger, warn }
  const registry = await openRegistry({
    log,
    clock: systemClock,
    logger,
    ...(snapshots && { snapshots }),
    limits: { snapshotEveryRecords: every }
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

/** A snapshot of a random history, whose pieces are read one by one while the history goes on. */
interface Taken extends SnapshotUnderway {
  readonly iterator: AsyncIterator<Buffer>
  readonly read: Buffer[]
}

/** Answers false when there are no more. */
async function readPiece({ iterator, read }: Taken): Promise<boolean> {
  const { done, value } = await iterator.next()
  if (!done) read.push(value)
  return !done
}

async function readAll(taken: Taken): Promise<Buffer> {
  while (await readPiece(taken));
  return Buffer.concat(taken.read)
}

describe(`random histories (seed ${seed})`, () => {
  test.each(Array.from({ length: 60 }, (_, at) => seed + at))(
    'history %i: with a snapshot at any time the state is the same',
    async from => {
      const random = randomOf(from)
      const log = await openTestLog()
      const state = emptyState()
      const taken: Taken[] = []
      for (let step = 1; step <= 40; step++) {
        const changes = Array.from({ length: 1 + random(4) }, () => randomChange(random))
        await append(log, changes, step * 1000)
        for (const change of changes) {
          for (const { before } of taken) before(change)
          apply(state, decodeRecord(encodeChange(change)) as Change, step * 1000)
        }
        for (const one of taken) while (random(4) === 0 && (await readPiece(one)));
        if (random(6) > 0) continue
        const [last] = (await log.read(log.highWatermark - 1, { bytesMax: 1 })) as [Buffer]
        const place = { nextOffset: log.highWatermark, lastCrc: crcOf(last) }
        const underway = beginSnapshot(state, place, { batchBytes: 1 + random(500), turnMs: 0 })
        taken.push({ ...underway, iterator: underway.pieces[Symbol.asyncIterator](), read: [] })
      }
      const replayed = await open(log)
      expect(seen(state)).toEqual(seen(replayed.state))
      for (const one of taken) {
        const warnings: string[] = []
        const restored = await open(log, memorySnapshots(await readAll(one)), { warnings, every: 1e9 })
        expect(warnings, 'it was not passed over').toEqual([])
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

  test('keeps for each version when it was last written', async () => {
    const log = await openTestLog()
    const content = { schemaType: 'AVRO', text: fixed(1), references: [], metadata: undefined, ruleSet: undefined }
    const version = (number: number): Change => ({
      ...{ type: 'schema', subject: 's', version: number, id: 1, content, deleted: false }
    })
    await append(log, [version(1)], 1_700_000_000_123)
    await append(log, [version(2)], 1_600_000_000_456)
    await append(log, [version(3)], -1)
    const snapshots = memorySnapshots()
    await (await open(log, snapshots, { every: 1 })).close()
    const { state } = await open(log, snapshots, { every: 1e9 })
    expect(state.subjects.get('s')?.map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_123, 1_600_000_000_456, -1])
  })

  test('begun before a change shows nothing of it, however late it is written out', async () => {
    const log = await openTestLog()
    const slow = memorySnapshots()
    const hold = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const pieces: Buffer[] = []
    slow.write = async given => {
      for await (const piece of given) {
        pieces.push(piece)
        begun.resolve()
        await hold.promise
      }
      slow.bytes = Buffer.concat(pieces)
    }
    // Versions that fill more than one batch, each with an ID of its own.
    const doc = 'a long text '.repeat(200)
    const text = (size: number): string => JSON.stringify({ type: 'record', name: `R${size}`, doc, fields: [] })
    const registry = await open(log, slow, { every: 120 })
    const fill = Array.from({ length: 120 }, (_, at) => registry.register(`s${at}`, { schema: text(at) }))
    await Promise.all(fill)
    await begun.promise
    await registry.deleteSubject('s119')
    await registry.deleteSubject('s119', { permanent: true })
    await registry.deleteVersion('s118', 1)
    await registry.register('s117', { schema: text(500) }, { force: true })
    await registry.register('s121', { schema: text(116) })
    hold.resolve()
    await registry.close()
    expect(pieces.length, 'the head and several batches').toBeGreaterThan(3)
    const held = pieces.flatMap(piece => decodeBatch(piece, 1e9)).flatMap(entry => decodeRecord(entry) ?? [])
    const versions = held.filter(change => change.type === 'schema')
    expect(versions.map(({ subject }) => subject).sort()).toEqual(Array.from({ length: 120 }, (_, at) => `s${at}`).sort())
    expect(versions.filter(({ deleted }) => deleted)).toEqual([])
    const warnings: string[] = []
    const restored = await open(log, memorySnapshots(slow.bytes), { every: 1e9, warnings })
    expect(warnings).toEqual([])
    expect(seen(restored.state)).toEqual(seen((await open(log)).state))
  })

  test('of many versions leaves turns to others while it is written', async () => {
    const state = emptyState()
    for (let id = 1; id <= 20_000; id++) {
      const content = { schemaType: 'AVRO', text: fixed(id), references: [], metadata: undefined, ruleSet: undefined }
      apply(
        state,
        { type: 'schema', subject: `s${id % 5000}`, version: 1 + Math.floor(id / 5000), id, content, deleted: false },
        1
      )
    }
    let turns = 0
    const count = setInterval(() => turns++, 0)
    const bytes = await whole(beginSnapshot(state, { nextOffset: 1, lastCrc: 0 }).pieces)
    clearInterval(count)
    expect(bytes.length).toBeGreaterThan(20_000 * 100)
    expect(turns).toBeGreaterThan(5)
  })

  test('damaged in any byte, or cut anywhere, never changes what comes of it', async () => {
    const snapshots = memorySnapshots()
    const log = await filled(snapshots)
    const right = seen((await open(log)).state)
    const bytes = snapshots.bytes!
    const random = randomOf(seed)
    let passedOver = 0
    for (let turn = 0; turn < 150; turn++) {
      const damaged = Buffer.from(bytes)
      const at = random(bytes.length)
      damaged[at] = damaged[at]! ^ (1 << random(8))
      const cut = turn % 5 === 0 ? bytes.subarray(0, at) : damaged
      const warnings: string[] = []
      const registry = await open(log, memorySnapshots(cut), { every: 1e9, warnings })
      expect(seen(registry.state), `byte ${at}, seed ${seed}`).toEqual(right)
      passedOver += warnings.length
    }
    expect(passedOver, 'some bytes, such as the leader epoch, mean nothing').toBeGreaterThan(120)
  })

  test('cut between two batches is passed over', async () => {
    const snapshots = memorySnapshots()
    const log = await filled(snapshots)
    const warnings: string[] = []
    const head = snapshots.bytes!.subarray(0, readHeader(snapshots.bytes!).sizeBytes)
    const registry = await open(log, memorySnapshots(head), { warnings })
    expect(warnings).toEqual([expect.stringMatching(/^it holds 0 of \d+ records$/)])
    expect(registry.subjects()).toHaveLength(7)
  })

  test("with two batches in each other's place is passed over", async () => {
    const log = await filled(memorySnapshots())
    const { state } = await open(log)
    const [last] = (await log.read(log.highWatermark - 1, { bytesMax: 1 })) as [Buffer]
    const place = { nextOffset: log.highWatermark, lastCrc: crcOf(last) }
    const pieces: Buffer[] = []
    for await (const piece of beginSnapshot(state, place, { batchBytes: 1, turnMs: 1 }).pieces) pieces.push(piece)
    const swapped = pieces.with(3, pieces[4]!).with(4, pieces[3]!)
    const warnings: string[] = []
    expect(seen((await open(log, memorySnapshots(Buffer.concat(swapped)), { warnings })).state)).toEqual(seen(state))
    expect(warnings).toEqual(['a part is missing before record 3'])
  })

  test('of another format is passed over, and replaced at once', async () => {
    const snapshots = memorySnapshots()
    const log = await filled(snapshots)
    const size = readHeader(snapshots.bytes!).sizeBytes
    const [head] = decodeBatch(snapshots.bytes!.subarray(0, size), 1e9)
    const value = Buffer.from(JSON.stringify({ ...JSON.parse(String(head!.value)), format: 2 }))
    const newer = encodeBatch({ records: [{ key: head!.key, value }], baseTimestampMs: 0 })
    const found = memorySnapshots(Buffer.concat([newer, snapshots.bytes!.subarray(size)]))
    const warnings: string[] = []
    const registry = await open(log, found, { every: 1e9, warnings })
    expect(warnings).toEqual(['its format is 2, and 1 is read here'])
    await registry.close()
    expect(found.writes).toBe(1)
    await open(log, found, { every: 1e9, warnings })
    expect(warnings).toHaveLength(1)
  })

  test('of another journal, or of none that this one still holds, is passed over', async () => {
    const snapshots = memorySnapshots()
    const log = await filled(snapshots)
    const other = await openTestLog()
    for (let at = 0; at < 100; at++) await append(other, [{ type: 'mode', subject: `m${at}`, mode: 'READONLY' }], 1)
    const warnings: string[] = []
    expect((await open(other, memorySnapshots(snapshots.bytes), { warnings })).subjects()).toEqual([])
    expect((await open(await openTestLog(), memorySnapshots(snapshots.bytes), { warnings })).subjects()).toEqual([])
    for (let at = 0; at < 10; at++) await append(log, [{ type: 'mode', subject: `m${at}`, mode: 'READONLY' }], 1)
    const trimmed = Object.create(log, { startOffset: { value: 35 } }) as PartitionLog
    expect((await open(trimmed, memorySnapshots(snapshots.bytes), { warnings })).subjects()).toEqual([])
    expect(warnings).toEqual([
      'it was made of another journal',
      expect.stringMatching(/^it reaches to offset \d+, the journal to 0$/),
      'the journal begins at offset 35, behind it'
    ])
  })

  test('that cannot hold a name as it stands is not written, and the journal is read instead', async () => {
    const log = await openTestLog()
    const key = Buffer.from('{"keytype":"CONFIG","subject":":.::.:odd","magic":0}')
    const value = Buffer.from('{"compatibilityLevel":"FULL"}')
    await log.append(encodeBatch({ records: [{ key, value }], baseTimestampMs: 1 }))
    const snapshots = memorySnapshots()
    const first = await open(log, snapshots, { every: 1 })
    await first.close()
    expect(seen((await open(log, snapshots)).state)).toEqual(seen(first.state))
  })
})

describe('in a file', () => {
  async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'snapshot-'))
    try {
      await run(directory)
    } finally {
      await rm(directory, { recursive: true })
    }
  }

  async function* pieces(...texts: (string | Error)[]): AsyncGenerator<Buffer> {
    for (const text of texts) {
      if (text instanceof Error) throw text
      yield Buffer.from(text)
    }
  }

  test('a failure leaves the one before, and no leftovers', () =>
    inDirectory(async directory => {
      const file = snapshotFile(join(directory, 'registry.snapshot'))
      expect(await whole(file.read())).toHaveLength(0)
      await file.write(pieces('one', ' two'))
      await expect(file.write(pieces('three', new Error('no more')))).rejects.toThrow(/no more/)
      expect(String(await whole(file.read()))).toBe('one two')
      expect(await readdir(directory)).toEqual(['registry.snapshot'])
      await writeFile(join(directory, 'registry.snapshot.new'), 'half of one')
      await file.write(pieces('four'))
      expect(String(await whole(file.read()))).toBe('four')
      expect(await readdir(directory)).toEqual(['registry.snapshot'])
    }))

  test('one that cannot be read, nor replaced, does not keep a registry from its work', () =>
    inDirectory(async directory => {
      const path = join(directory, 'registry.snapshot')
      await mkdir(path)
      const log = await openTestLog()
      await append(log, [{ type: 'mode', subject: 's', mode: 'READONLY' }], 1)
      const warnings: string[] = []
      const registry = await open(log, snapshotFile(path), { warnings, every: 1 })
      expect(registry.mode('s')).toBe('READONLY')
      await registry.close()
      expect(warnings[0]).toMatch(/could not read .*EISDIR/)
      expect(warnings[1]).toMatch(/could not write .*EISDIR/)
      expect(await readdir(directory)).toEqual(['registry.snapshot'])
    }))
})
