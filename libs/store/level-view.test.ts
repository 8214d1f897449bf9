import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@assay/records'
import { afterAll, expect, test } from 'vitest'
import { openLevel } from './level.ts'
import { type FileFault, levelFaults } from './level-files.ts'
import { lockLevel, viewLevel } from './level-view.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-view-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const fresh = (): string => join(root, `${made++}`)

const ROWS = 600

/** Tables, a write-ahead log and a manifest, all with something in them. */
async function filled(): Promise<string> {
  const directory = fresh()
  for (const round of [0, 1]) {
    const store = await openLevel(directory, { writeBufferBytes: 64 << 10 })
    for (let at = 0; at < ROWS / 2; at += 10) {
      const ops = Array.from({ length: 10 }, (_, row) => ({
        type: 'put' as const,
        key: Buffer.from(String(round * (ROWS / 2) + at + row).padStart(6, '0')),
        value: createHash('sha512')
          .update(`${round}-${at + row}`)
          .digest()
      }))
      await store.batch(ops, { sync: true })
    }
    await store.close()
  }
  return directory
}

const namesIn = (directory: string): string[] => readdirSync(directory).filter(name => name !== 'LOCK')
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
/** Without LOCK: whoever reads and closes that lets go of the lock. */
const contentOf = (directory: string): Record<string, string> =>
  Object.fromEntries(namesIn(directory).map(name => [name, hashOf(readFileSync(join(directory, name)))]))

const faultsOf = async (directory: string): Promise<FileFault[]> => {
  const faults: FileFault[] = []
  for await (const fault of levelFaults(directory, { crc32c })) faults.push(fault)
  return faults
}

test('a view shows every row, takes writes of its own, and changes no byte of the original', async () => {
  const directory = await filled()
  const before = contentOf(directory)
  const scratch = fresh()
  const view = await viewLevel(directory, scratch)
  expect(await view.range({})).toHaveLength(ROWS)
  await view.batch([{ type: 'put', key: Buffer.from('x'), value: Buffer.alloc(100_000) }], { sync: true })
  await view.close()
  const again = await viewLevel(directory, scratch)
  expect(await again.range({})).toHaveLength(ROWS + 1)
  await again.clear({})
  await again.close()
  expect(contentOf(directory)).toEqual(before)
})

test('what is not there cannot be seen', async () => {
  await expect(viewLevel(join(root, 'absent'), fresh())).rejects.toThrow(/absent is damaged: it is gone/)
})

test('a lock keeps another process out, and is refused while another process holds it', async () => {
  const directory = await filled()
  const before = contentOf(directory)
  const program = `
    const { openLevel } = await import(${JSON.stringify(join(import.meta.dirname, 'level.ts'))})
    try { await openLevel(${JSON.stringify(directory)}); console.log('open') } catch (error) { console.log(error.message) }
    setInterval(() => {}, 1000)`
  const attempt = async () => {
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program])
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    return { child, said: String(said).trim() }
  }

  const lock = await lockLevel(directory, fresh())
  expect(contentOf(directory)).toEqual(before)
  const refused = await attempt()
  refused.child.kill('SIGKILL')
  expect(refused.said).toMatch(/in use by another process/)
  await lock!.release()

  const holder = await attempt()
  expect(holder.said).toBe('open')
  await expect(lockLevel(directory, fresh())).rejects.toThrow(/in use by another process/)
  holder.child.kill('SIGKILL')
})

test('a store that this process has open is not locked a second time', async () => {
  const directory = await filled()
  const store = await openLevel(directory)
  await expect(lockLevel(directory, fresh())).rejects.toThrow(/in use by another process/)
  await store.close()
})

test('whole files have no fault', async () => {
  expect(await faultsOf(await filled())).toEqual([])
})

test('a flipped byte in a table, a log or a manifest is found, wherever it is', async () => {
  const directory = await filled()
  const checked = readdirSync(directory).filter(name => /^(\d+\.(ldb|log)|MANIFEST-\d+)$/.test(name))
  expect(checked.some(name => name.endsWith('.ldb'))).toBe(true)
  for (const name of checked) {
    const path = join(directory, name)
    const whole = readFileSync(path)
    const steps = Math.max(1, Math.floor(whole.length / 150))
    // All of the last bytes, which are a table's footer.
    const places = Array.from(whole.keys()).filter(at => at % steps === 0 || at >= whole.length - 48)
    for (const at of places) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(path, flipped)
      const faults = await faultsOf(directory)
      expect(faults.length, `${name} byte ${at}`).toBeGreaterThan(0)
      expect(faults.every(({ file }) => file === path)).toBe(true)
    }
    writeFileSync(path, whole)
  }
})

test('a log that ends in the middle of a record may have been cut by the power; a record in its middle may not', async () => {
  const directory = await filled()
  const log = readdirSync(directory).find(name => name.endsWith('.log'))!
  const path = join(directory, log)
  const whole = readFileSync(path)
  truncateSync(path, whole.length - 5)
  expect(await faultsOf(directory)).toMatchObject([{ isTornTail: true }])
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(100)]))
  expect(await faultsOf(directory)).toMatchObject([{ isTornTail: true, at: whole.length }])
  whole[20]! ^= 4
  writeFileSync(path, whole)
  expect(await faultsOf(directory)).toMatchObject([{ isTornTail: false, at: 0 }])
})
