import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openLevel } from './level.ts'
import { levelSegments, segmentName } from './level-segments.ts'
import { memorySegments, type Segments } from './segments.ts'
import type { Store } from './store.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-segments-'))
let made = 0
let directory = ''

beforeEach(() => {
  directory = join(root, String(++made), 'journal')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const put = (store: Store, key: string): Promise<void> =>
  store.batch([{ type: 'put', key: Buffer.from(key), value: Buffer.from(key) }], { sync: true })

const kinds: [string, () => Segments][] = [
  ['level', () => levelSegments(directory)],
  ['memory', memorySegments]
]

describe.each(kinds)('%s segments', (_name, make) => {
  test('are listed in order, opened again with what was written, and gone when dropped', async () => {
    const segments = make()
    expect(await segments.list()).toEqual([])
    for (const first of [0, 100, 9]) {
      const store = await segments.roll(first)
      await put(store, `of ${first}`)
      await store.close()
    }
    expect(await segments.list()).toEqual([0, 9, 100])
    const store = await segments.open(9, { isNewest: false })
    expect((await store.range({})).map(({ key }) => key.toString())).toEqual(['of 9'])
    await store.close()
    await expect(store.get(Buffer.from('of 9'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
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

describe('directories', () => {
  test('what a removal or a creation that was cut short left is cleared away, and is no segment', async () => {
    const segments = levelSegments(directory)
    await (await segments.roll(0)).close()
    await (await segments.roll(7)).close()
    renameSync(join(directory, segmentName(0)), join(directory, `${segmentName(0)}.gone`))
    rmSync(join(directory, `${segmentName(0)}.gone`, 'CURRENT'))
    mkdirSync(join(directory, `${segmentName(20)}.creating-abcdef`))
    expect(await segments.list()).toEqual([7])
    expect(readdirSync(directory)).not.toContain(`${segmentName(0)}.gone`)
    await (await segments.roll(20)).close()
    expect(readdirSync(directory).sort()).toEqual([segmentName(7), segmentName(20)])
  })

  test('the single directory of before is taken over as the first segment', async () => {
    const store = await openLevel(join(directory, '0'.repeat(20)))
    await put(store, 'kept')
    await store.close()
    const segments = levelSegments(directory)
    expect(await segments.list()).toEqual([0])
    const first = await segments.open(0, { isNewest: true })
    expect(await first.range({})).toHaveLength(1)
    await first.close()
    expect(readdirSync(directory)).toEqual([segmentName(0)])
    mkdirSync(join(directory, '0'.repeat(20)))
    await expect(segments.list()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  test.each(['12', '1'.repeat(20), '9'.repeat(16)])('%s is not the name of a segment', async name => {
    mkdirSync(join(directory, name), { recursive: true })
    await expect(levelSegments(directory).list()).rejects.toThrow(/is not the name of a segment/)
  })

  test('a directory without our marker is not opened and not filled', async () => {
    const segments = levelSegments(directory)
    mkdirSync(join(directory, segmentName(3)), { recursive: true })
    await expect(segments.open(3, { isNewest: true })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    writeFileSync(join(directory, segmentName(3), 'letter'), 'dear')
    await expect(segments.roll(3)).rejects.toMatchObject({ code: 'STORE_NOT_OURS' })
    expect(existsSync(join(directory, segmentName(3), 'letter'))).toBe(true)
  })
})
