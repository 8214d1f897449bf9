import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { afterAll, expect, test } from 'vitest'
import { openLevel } from './level.ts'
import { levelFaults } from './level-files.ts'
import { liveTables } from './level-manifest.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-manifest-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const crcOf = (bytes: Uint8Array, start = 0, end = bytes.length): number => crc32c(bytes.subarray(start, end))
const tablesIn = (directory: string): number[] =>
  readdirSync(directory)
    .filter(name => name.endsWith('.ldb'))
    .map(name => Number.parseInt(name, 10))
    .sort((a, b) => a - b)

test('the tables of a database are those that LevelDB keeps, and no others are checked or opened', async () => {
  const directory = join(root, 'db')
  // Small buffers, so that tables are made, merged and dropped.
  for (let life = 0; life < 4; life++) {
    const store = await openLevel(directory, { writeBufferBytes: 1 << 16 })
    for (let round = 0; round < 40; round++) {
      const ops = Array.from({ length: 50 }, (_, at) => ({
        type: 'put' as const,
        key: Buffer.from(`key ${(round * 7919 + at * 104_729) % 3000}`),
        value: Buffer.alloc(200, round)
      }))
      await store.batch(ops, { sync: false })
    }
    await store.close()
  }
  const store = await openLevel(directory)
  await store.close()
  const live = await liveTables(directory)
  expect(live!.size).toBeGreaterThan(1)
  expect(tablesIn(directory).filter(number => live!.has(number))).toEqual([...live!].sort((a, b) => a - b))
  writeFileSync(join(directory, '999999.ldb'), 'half a table')
  const faults = []
  for await (const fault of levelFaults(directory, { crc32c: crcOf })) faults.push(fault)
  expect(faults).toEqual([])
  await (await openLevel(directory, { isVerified: true })).close()
  expect(tablesIn(directory)).not.toContain(999_999)
})

test('a manifest that is missing or no manifest says nothing', async () => {
  const directory = mkdtempSync(join(root, 'none-'))
  expect(await liveTables(directory)).toBeUndefined()
  writeFileSync(join(directory, 'CURRENT'), 'MANIFEST-000001\n')
  expect(await liveTables(directory)).toBeUndefined()
  writeFileSync(join(directory, 'MANIFEST-000001'), Buffer.from([0, 0, 0, 0, 3, 0, 1, 0x63, 0xff, 0xff]))
  expect(await liveTables(directory)).toBeUndefined()
})
