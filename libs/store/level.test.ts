import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { storeSuite } from '../../test/suites/store.ts'
import { openLevel } from './level.ts'
import type { Store } from './store.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-store-'))
let made = 0
let directory = ''

beforeEach(() => {
  directory = join(root, String(++made), 'store')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

storeSuite('level', () => openLevel(join(root, String(++made), 'store')))

const put = (store: Store, key: string, value: string | Buffer, sync = true): Promise<void> =>
  store.batch([{ type: 'put', key: Buffer.from(key), value: Buffer.from(value) }], { sync })

const siblings = (): string[] => readdirSync(join(directory, '..')).sort()

test('what was written is there after closing and opening, with and without compression', async () => {
  for (const compression of [true, false]) {
    const store = await openLevel(directory, { compression, writeBufferBytes: 1 << 16, cacheBytes: 1 << 20 })
    for (let i = 0; i < 50; i++) await put(store, `k${i}`, Buffer.alloc(8192, i), false)
    await store.close()
    const again = await openLevel(directory, { compression, mustExist: true })
    expect(await again.get(Buffer.from('k49'))).toEqual(Buffer.alloc(8192, 49))
    expect(await again.range({})).toHaveLength(50)
    await again.close()
  }
})

test('compression is an option that works: tables of equal bytes are smaller with it', async () => {
  const sizes: number[] = []
  for (const compression of [true, false]) {
    const place = join(directory, String(compression))
    const store = await openLevel(place, { compression, writeBufferBytes: 1 << 16 })
    for (let i = 0; i < 64; i++) await put(store, `k${i}`, Buffer.alloc(16384, 7), false)
    await store.close()
    const tables = readdirSync(place).filter(name => name.endsWith('.ldb'))
    expect(tables.length).toBeGreaterThan(0)
    sizes.push(tables.reduce((sum, name) => sum + readFileSync(join(place, name)).length, 0))
  }
  expect(sizes[0]).toBeLessThan(sizes[1]! / 4)
})

describe('creating', () => {
  test('leaves nothing but the directory, and takes an existing one that is empty', async () => {
    mkdirSync(directory, { recursive: true })
    const store = await openLevel(directory)
    await put(store, 'a', '1')
    await store.close()
    expect(siblings()).toEqual(['store'])
    expect(readFileSync(join(directory, 'ASSAY'), 'utf8')).toBe('assay store 1\n')
  })

  test('begins anew after it was interrupted, and clears the rest away', async () => {
    mkdirSync(`${directory}.creating-aB3xyz`, { recursive: true })
    writeFileSync(join(`${directory}.creating-aB3xyz`, 'CURRENT'), 'MANIFEST-0000')
    mkdirSync(`${directory}.dropped-Zz1234`)
    const store = await openLevel(directory)
    await put(store, 'a', '1')
    expect(siblings()).toEqual(['store'])
    await store.close()
  })

  test('leaves leftovers of its neighbours alone', async () => {
    mkdirSync(`${directory}-2.creating-aB3xyz`, { recursive: true })
    await (await openLevel(directory)).close()
    expect(siblings()).toEqual(['store', 'store-2.creating-aB3xyz'])
  })

  test('is refused when the store is known to have been there', async () => {
    await expect(openLevel(directory, { mustExist: true })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(existsSync(directory)).toBe(false)
    mkdirSync(directory, { recursive: true })
    await expect(openLevel(directory, { mustExist: true })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  test('by several calls at once has one winner, and the others are told of the lock', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => openLevel(directory)))
    const winners = outcomes.filter(outcome => outcome.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'STORE_LOCKED' })
    }
    await winners[0]!.value.close()
    await (await openLevel(directory, { mustExist: true })).close()
    expect(siblings()).toEqual(['store'])
  })

  test('by several processes at once has one winner', async () => {
    const openers = Array.from({ length: 3 }, () => openElsewhere(directory))
    const outcomes = await Promise.all(openers.map(opener => opener.outcome))
    expect(outcomes.sort()).toEqual(['STORE_LOCKED', 'STORE_LOCKED', 'open'])
    for (const opener of openers) await opener.end()
    await (await openLevel(directory, { mustExist: true })).close()
    expect(siblings()).toEqual(['store'])
  })
})

describe('a directory that is not ours', () => {
  const strangers: [string, () => Promise<void> | void][] = [
    ['with a file in it', () => writeFileSync(join(directory, 'letter.txt'), 'dear')],
    ['of another LevelDB', createForeignLevel],
    ['with only a directory in it', () => void mkdirSync(join(directory, 'sub'))]
  ]
  test.each(strangers)('%s is refused and left as it was', async (_name, fill) => {
    mkdirSync(directory, { recursive: true })
    await fill()
    const before = readdirSync(directory)
    await expect(openLevel(directory)).rejects.toMatchObject({ code: 'STORE_NOT_OURS' })
    expect(readdirSync(directory)).toEqual(before)
  })

  test('because it is a file is refused', async () => {
    mkdirSync(join(directory, '..'), { recursive: true })
    writeFileSync(directory, 'x')
    await expect(openLevel(directory)).rejects.toMatchObject({ code: 'STORE_NOT_OURS' })
  })

  async function createForeignLevel(): Promise<void> {
    const db = new Level(directory)
    await db.put('a', '1')
    await db.close()
  }
})

describe('a damaged store is STORE_CORRUPT and never an empty one', () => {
  const file = (pattern: RegExp): string => join(directory, readdirSync(directory).find(name => pattern.test(name))!)
  const damages: [string, () => void][] = [
    ['CURRENT is missing', () => rmSync(join(directory, 'CURRENT'))],
    ['CURRENT is empty', () => truncateSync(join(directory, 'CURRENT'))],
    ['CURRENT names a manifest that is not there', () => writeFileSync(join(directory, 'CURRENT'), 'MANIFEST-000999\n')],
    ['CURRENT is cut off', () => writeFileSync(join(directory, 'CURRENT'), 'MANIFEST-0')],
    ['the manifest is missing', () => rmSync(file(/^MANIFEST/))],
    ['the manifest is empty', () => truncateSync(file(/^MANIFEST/))],
    ['the manifest has a flipped bit', () => flip(file(/^MANIFEST/), 12)],
    ['a table is missing', () => rmSync(file(/\.ldb$/))],
    ['the marker is empty', () => truncateSync(join(directory, 'ASSAY'))]
  ]
  test.each(damages)('%s', async (_name, damage) => {
    await fillStore()
    damage()
    const before = readdirSync(directory)
      .filter(name => !name.startsWith('LOG'))
      .sort()
    await expect(openLevel(directory)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(
      readdirSync(directory)
        .filter(name => !name.startsWith('LOG'))
        .sort()
    ).toEqual(before)
  })

  test('a store of a later format is refused by its version', async () => {
    await fillStore()
    writeFileSync(join(directory, 'ASSAY'), 'assay store 2\n')
    await expect(openLevel(directory)).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
  })

  test('a damaged block in a compressed table fails the read, and not as a missing key', async () => {
    await fillStore()
    for (const name of readdirSync(directory).filter(entry => entry.endsWith('.ldb'))) flip(join(directory, name), 40)
    const store = await openLevel(directory)
    await expect(store.range({})).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await store.close()
  })

  async function fillStore(): Promise<void> {
    const store = await openLevel(directory, { writeBufferBytes: 1 << 16, compression: true })
    for (let i = 0; i < 40; i++) await put(store, `k${i}`, Buffer.alloc(8192, `value ${i}`), false)
    await store.close()
  }

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path)
    bytes[at]! ^= 0xff
    writeFileSync(path, bytes)
  }
})

test('a second opening is refused while the first lives, in this process and then still in another', async () => {
  const store = await openLevel(directory)
  await expect(openLevel(directory)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  const early = openElsewhere(directory)
  expect(await early.outcome).toBe('STORE_LOCKED')
  await early.end()
  await put(store, 'a', '1')
  await store.close()
  const late = openElsewhere(directory)
  expect(await late.outcome).toBe('open')
  await expect(openLevel(directory)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await late.end()
})

test('a process that is killed loses no write that it was told is done', async () => {
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', writerProgram, directory], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.split('\n').length > 200) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const acknowledged = output.split('\n').slice(0, -1)
  expect(acknowledged.length).toBeGreaterThan(100)
  const store = await openLevel(directory, { mustExist: true })
  const values = await store.getMany(acknowledged.map(key => Buffer.from(key)))
  expect(values.filter(value => value === undefined)).toEqual([])
  await store.close()
})

test('after a write has failed no other is taken until the store is opened again', async () => {
  const store = await openLevel(directory, { writeBufferBytes: 1 << 16 })
  await put(store, 'before', '1')
  // LevelDB cannot begin its next log or table in a directory that is gone.
  const aside = `${directory}-aside`
  cpSync(directory, aside, { recursive: true })
  rmSync(directory, { recursive: true })
  const outcomes: string[] = []
  for (let i = 0; i < 64; i++) {
    outcomes.push(
      await put(store, `k${i}`, Buffer.alloc(16384), false).then(
        () => 'done',
        (error: { code: string }) => error.code
      )
    )
  }
  const firstFailure = outcomes.indexOf('STORE_FAILED')
  expect(firstFailure).toBeGreaterThanOrEqual(0)
  expect(new Set(outcomes.slice(firstFailure))).toEqual(new Set(['STORE_FAILED']))
  await store.close()
  const again = await openLevel(aside)
  expect((await again.get(Buffer.from('before')))?.toString()).toBe('1')
  await again.close()
})

const writerProgram = `
  import { openLevel } from '@assay/store'
  const store = await openLevel(process.argv[1])
  for (let i = 0; ; i++) {
    const key = 'k' + String(i).padStart(8, '0')
    await store.batch([{ type: 'put', key: Buffer.from(key), value: Buffer.alloc(100) }], { sync: false })
    console.log(key)
  }
`

const openerProgram = `
  import { openLevel } from '@assay/store'
  try {
    const store = await openLevel(process.argv[1])
    console.log('open')
    process.stdin.resume()
    process.stdin.on('end', () => store.close())
  } catch (error) {
    console.log(error.code)
  }
`

interface Opener {
  /** `open` or the error's code. */
  readonly outcome: Promise<string>
  /** Lets the process close the store and waits for its end. */
  readonly end: () => Promise<void>
}

function openElsewhere(place: string): Opener {
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', openerProgram, place], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const closed = once(child, 'close')
  const outcome = once(child.stdout, 'data').then(([chunk]) => String(chunk).trim())
  return {
    outcome,
    async end() {
      child.stdin.end()
      await closed
    }
  }
}
