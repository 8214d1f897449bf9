import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { fileSegments, segmentFileName } from './file-segments.ts'
import { writeSequence } from './segment-frames.ts'
import { memorySegments, type Segments } from './segments.ts'
import type { Store } from './store.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-segments-'))
let made = 0
let directory = ''

beforeEach(() => {
  directory = join(root, String(++made), 'journal')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function keyOf(sequence: number): Buffer {
  const key = Buffer.alloc(28, 7)
  writeSequence(key, sequence)
  return key
}
const put = (store: Store, sequence: number): Promise<void> =>
  store.batch([{ type: 'put', key: keyOf(sequence), value: Buffer.from(`row ${sequence}`) }], { sync: true })

const kinds: [string, () => Segments][] = [
  ['file', () => fileSegments(directory)],
  ['memory', memorySegments]
]

describe.each(kinds)('%s segments', (_name, make) => {
  test('are listed in order, opened again with what was written, and gone when dropped', async () => {
    const segments = make()
    expect(await segments.list()).toEqual([])
    for (const first of [0, 100, 9]) {
      const store = await segments.roll(first)
      await put(store, first)
      await store.close()
    }
    expect(await segments.list()).toEqual([0, 9, 100])
    const store = await segments.open(9, { isNewest: false })
    expect((await store.range({})).map(({ key, value }) => [key, value.toString()])).toEqual([[keyOf(9), 'row 9']])
    await store.close()
    await expect(store.get(keyOf(9))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await segments.drop(9)
    await segments.drop(9)
    expect(await segments.list()).toEqual([0, 100])
    await expect(segments.open(9, { isNewest: false })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  test('are never made over one that is there', async () => {
    const segments = make()
    await (await segments.roll(5)).close()
    await expect(segments.roll(5)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(await segments.list()).toEqual([5])
  })
})

describe('files', () => {
  test('what a removal or a creation that was cut short left is cleared away, and is no segment', async () => {
    const segments = fileSegments(directory)
    await (await segments.roll(7)).close()
    for (const name of [
      `${segmentFileName(20)}.creating`,
      `${segmentFileName(7)}.positions.new`,
      `${segmentFileName(3)}.positions`
    ]) {
      writeFileSync(join(directory, name), 'half')
    }
    expect(await segments.list()).toEqual([7])
    await (await segments.roll(20)).close()
    const positions = [7, 20].map(first => `${segmentFileName(first)}.positions`)
    expect(
      readdirSync(directory)
        .filter(name => !positions.includes(name))
        .sort()
    ).toEqual([7, 20].map(segmentFileName))
  })

  test.each(['12', '1'.repeat(20), '9'.repeat(16), `${'9'.repeat(16)}.segment`])(
    '%s is not the name of a segment',
    async name => {
      mkdirSync(join(directory, name), { recursive: true })
      await expect(fileSegments(directory).list()).rejects.toThrow(/is not the name of a segment/)
    }
  )

  test('what is no segment is neither opened nor written over', async () => {
    const segments = fileSegments(directory)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, segmentFileName(3)), 'Dear Sir or Madam, this is a letter.')
    await expect(segments.open(3, { isNewest: true })).rejects.toThrow(/does not begin as a segment does/)
    await expect(segments.roll(3)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
