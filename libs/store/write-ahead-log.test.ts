import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLevel } from './level.ts'
import { logFault } from './write-ahead-log.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-logs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const ROWS = 60
let closed: string
let killed: string
/** The log of both. */
let log: string

beforeAll(async () => {
  closed = join(root, 'closed')
  killed = join(root, 'killed')
  const store = await openLevel(closed)
  for (let row = 0; row < ROWS; row++) {
    const value = Buffer.alloc(row === 40 ? 70_000 : 1 + row * 20, `value ${row} `)
    await store.batch([{ type: 'put', key: Buffer.from(`key ${row}`), value }], { sync: true })
  }
  cpSync(closed, killed, { recursive: true })
  await store.close()
  log = readdirSync(closed).find(name => name.endsWith('.log'))!
})

const readLog = (): Buffer => readFileSync(join(closed, log))

describe('any byte that is changed is found', () => {
  for (const [when, wasClosed] of [
    ['after an orderly close', true],
    ['after a crash', false]
  ] as const) {
    test(when, () => {
      const bytes = readLog()
      expect(logFault(bytes, { wasClosed })).toBeUndefined()
      for (let at = 0; at < bytes.length; at += at < 3000 || bytes.length - at < 3000 ? 1 : 37) {
        const before = bytes[at]!
        bytes[at] = before ^ (1 << (at % 8))
        expect(logFault(bytes, { wasClosed }), `byte ${at} of ${bytes.length}`).toBeDefined()
        bytes[at] = before
      }
    })
  }
})

test('a log that ends anywhere is what a crash leaves, but not what a close leaves', () => {
  const bytes = readLog()
  for (let end = 0; end < bytes.length; end += end < 2000 ? 1 : 211)
    expect(logFault(bytes.subarray(0, end), { wasClosed: false }), `cut at ${end}`).toBeUndefined()
  expect(logFault(bytes.subarray(0, bytes.length - 1), { wasClosed: true })?.reason).toMatch(/cut off/)
})

test('pages that were not written yet are what a crash leaves, other bytes in their place are not', () => {
  const bytes = readLog()
  const page = bytes.length - (bytes.length % 4096)
  const kept = Buffer.from(bytes)
  kept.fill(0, page)
  expect(logFault(kept, { wasClosed: false })).toBeUndefined()
  expect(logFault(kept, { wasClosed: true })).toBeDefined()
  kept.fill(0x55, page)
  expect(logFault(kept, { wasClosed: false })).toBeDefined()
})

describe('the start is refused, and names file and byte', () => {
  const opened = async (directory: string, damage: (path: string) => void): Promise<unknown> => {
    const copy = mkdtempSync(join(root, 'copy-'))
    cpSync(directory, copy, { recursive: true })
    damage(join(copy, log))
    return openLevel(copy).then(
      async store => {
        const rows = await store.range({})
        await store.close()
        return rows.length
      },
      (error: Error) => error.message
    )
  }
  const flipAt = (path: string, at: number): void => {
    const bytes = readFileSync(path)
    bytes[at]! ^= 4
    writeFileSync(path, bytes)
  }
  const flip = (path: string): void => flipAt(path, 500)
  const cut = (path: string): void => truncateSync(path, readFileSync(path).length - 3)

  test('a changed byte', async () => {
    expect(await opened(closed, flip)).toMatch(new RegExp(`${log} is damaged at byte \\d+`))
    expect(await opened(killed, flip)).toMatch(new RegExp(`${log} is damaged at byte \\d+`))
  })
  test('a cut end, where it was closed', async () => {
    expect(await opened(closed, cut)).toMatch(new RegExp(`${log} has \\d+ bytes, and had \\d+ when it was closed`))
    expect(await opened(killed, cut)).toBe(ROWS - 1)
  })
  test('a manifest', async () => {
    const manifest = readdirSync(closed).find(name => name.startsWith('MANIFEST'))!
    const refused = await opened(closed, path => truncateSync(path.replace(log, manifest), 40))
    expect(refused).toMatch(new RegExp(`${manifest} has 40 bytes`))
  })
  test('the marker of the close itself', async () => {
    expect(await opened(closed, path => flipAt(path.replace(log, 'CLOSED'), 9))).toMatch(/CLOSED is damaged/)
  })
  test('nothing that is damaged', async () => {
    expect(await opened(closed, () => {})).toBe(ROWS)
    expect(await opened(killed, () => {})).toBe(ROWS)
  })
})
