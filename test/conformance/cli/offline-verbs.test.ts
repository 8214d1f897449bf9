/** `assay backup`, `restore`, `verify` and `doctor` against a served process and what it leaves on disk. */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Consumer, ListOffsetTimestamps, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

let served: Served
const cli = commandLine(() => served, { ownProcess: false })
const { run, directory } = cli
const inside = (name: string): string => join(directory, name)

const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(name => statSync(join(path, name)).isFile())
const contentOf = (path: string): Record<string, string> =>
  Object.fromEntries(
    filesOf(path).map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(path, name)))
        .digest('hex')
    ])
  )

/** Produces until it is told to stop; gives what was acknowledged, in order. */
function load(topic: string, partitions: number) {
  const acked: string[] = []
  let isStopping = false
  const producer = new Producer({ clientId: 'load', bootstrapBrokers: [served.kafka], retries: 0 })
  const done = (async () => {
    for (let at = 0; !isStopping; at++) {
      const messages = Array.from({ length: 20 }, (_, nth) => ({
        ...{ topic, partition: (at + nth) % partitions, key: Buffer.from(`k${nth}`) },
        value: Buffer.from(`${at}.${nth}.${'x'.repeat(200)}`)
      }))
      await producer.send({ messages, acks: ProduceAcks.ALL })
      for (const { value } of messages) acked.push(value.toString())
    }
    await producer.close()
  })()
  return {
    acked,
    async stop(): Promise<void> {
      isStopping = true
      await done
    }
  }
}

async function valuesOf({ kafka }: Served, topic: string, count: number): Promise<Set<string>> {
  const consumer = new Consumer({ clientId: 'reader', groupId: `reader-${topic}`, bootstrapBrokers: [kafka] })
  const values = new Set<string>()
  try {
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false })
    if (count === 0) return values
    for await (const { value } of stream) {
      values.add(String(value))
      if (values.size === count) break
    }
  } finally {
    await consumer.close(true)
  }
  return values
}

async function countOf({ kafka }: Served, topic: string): Promise<number> {
  const consumer = new Consumer({ clientId: 'counter', groupId: 'counter', bootstrapBrokers: [kafka] })
  try {
    const offsets = await consumer.listOffsets({ topics: [topic], timestamp: ListOffsetTimestamps.LATEST })
    return offsets.get(topic)!.reduce((sum, offset) => sum + Number(offset), 0)
  } finally {
    await consumer.close(true)
  }
}

beforeAll(async () => {
  served = await serve()
  await run(['topic', 'create', 'orders', '--partitions', '4'])
  await run(['topic', 'create', 'empty', '--partitions', '2'])
  const schema = cli.file('invoices/value.avsc', { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'long' }] })
  expect(await run(['register', schema])).toMatchObject({ code: 0 })
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

test('a backup under load, restored, has all that was acknowledged before it began', async () => {
  const writing = load('orders', 4)
  await expect.poll(() => writing.acked.length, { timeout: 10_000 }).toBeGreaterThan(2000)
  const before = [...writing.acked]
  const taken = (await cli.json(['backup', 'taken'])) as { batches: number; bytes: number; partitions: number; clusterId: string }
  const during = writing.acked.length
  await writing.stop()
  expect(writing.acked.length).toBeGreaterThanOrEqual(during)
  expect(taken.bytes).toBeGreaterThan(before.length * 200)
  expect(await run(['verify', 'taken'])).toMatchObject({ code: 0, out: expect.stringMatching(/^sound: \d+ partitions/) })

  expect(await run(['restore', 'taken', 'restored'])).toMatchObject({ code: 0, err: '' })
  expect(await run(['doctor', 'restored'])).toMatchObject({ code: 0, out: expect.stringMatching(/^sound: /) })
  const again = await serve({ directory: inside('restored') })
  try {
    const count = await countOf(again, 'orders')
    expect(count).toBeGreaterThanOrEqual(before.length)
    const values = await valuesOf(again, 'orders', count)
    for (const value of before) expect(values.has(value)).toBe(true)
    for (const value of values) expect(writing.acked).toContain(value)
    const versions = await fetch(`${again.http}/subjects/invoices-value/versions/1`)
    expect(await versions.json()).toMatchObject({ subject: 'invoices-value', version: 1 })
    const { scope } = (await (await fetch(`${again.http}/v1/metadata/id`)).json()) as { scope: { clusters: object } }
    expect(scope.clusters).toMatchObject({ 'kafka-cluster': taken.clusterId })
  } finally {
    expect(await again.stop()).toBe(0)
  }
}, 60_000)

describe('of a backup', () => {
  const damaged = (name: string): string => {
    cpSync(inside('taken'), inside(name), { recursive: true })
    return inside(name)
  }

  test('every flipped byte is found, and none is restored', async () => {
    const path = damaged('flipped')
    for (const [nth, name] of filesOf(path).entries()) {
      const file = join(path, name)
      const bytes = readFileSync(file)
      const at = (nth * 7919) % bytes.length
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (nth % 8)
      writeFileSync(file, flipped)
      const verified = await run(['verify', 'flipped', '--json'])
      expect(verified, `${name} byte ${at}`).toMatchObject({ code: 1 })
      expect(JSON.parse(verified.out)).toMatchObject({ isSound: false })
      expect((await run(['restore', 'flipped', 'never'])).code).toBe(1)
      expect(readdirSync(directory).filter(entry => entry.startsWith('never'))).toEqual([])
      writeFileSync(file, bytes)
    }
    expect((await run(['verify', 'flipped'])).code).toBe(0)
  }, 60_000)

  test('what is cut off is refused', async () => {
    const path = damaged('cut')
    const file = filesOf(path)
      .filter(name => name.endsWith('.batches'))
      .map(name => join(path, name))[0]!
    truncateSync(file, statSync(file).size - 1)
    expect(await run(['verify', 'cut'])).toMatchObject({ code: 1, out: expect.stringMatching(/has \d+ bytes and not \d+/) })
    rmSync(file)
    expect(await run(['verify', 'cut'])).toMatchObject({ code: 1, out: expect.stringMatching(/is missing/) })
    rmSync(join(path, 'manifest.json'))
    expect(await run(['verify', 'cut'])).toMatchObject({ code: 2, err: expect.stringMatching(/cut off/) })
    expect(await run(['restore', 'cut', 'never'])).toMatchObject({ code: 2, err: expect.stringMatching(/cut off/) })
  })

  test('a later format is refused by its number', async () => {
    const path = damaged('later')
    const manifest = join(path, 'manifest.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"format":1', '"format":2'))
    for (const args of [
      ['verify', 'later'],
      ['restore', 'later', 'never']
    ]) {
      expect((await run(args)).err).toMatch(/has format 2 and this is for format 1/)
    }
  })
})

describe('places that will not do', () => {
  beforeAll(() => {
    mkdirSync(inside('full'))
    writeFileSync(inside('full/thing'), '')
    writeFileSync(inside('file'), '')
  })

  test.each<[string, string[], number, RegExp]>([
    ['a backup into what is there', ['backup', 'full'], 2, /full is not empty/],
    ['a backup onto a file', ['backup', 'file'], 2, /file is a file/],
    ['a restore into what is there', ['restore', 'taken', 'full'], 2, /full is not empty/],
    ['a restore onto a file', ['restore', 'taken', 'file'], 2, /file is a file/],
    ['a restore below a file', ['restore', 'taken', 'file/below'], 2, /is a file, or lies below one/],
    ['a restore of nothing', ['restore', 'nothing', 'never'], 2, /nothing is no backup/],
    ['a restore of a file', ['restore', 'file', 'never'], 2, /file is no backup/],
    ['verifying nothing', ['verify', 'nothing'], 2, /nothing is no backup/],
    ['examining nothing', ['doctor', 'nothing'], 2, /nothing is not an Assay data directory/],
    ['examining what is no data directory', ['doctor', 'full'], 2, /full is not an Assay data directory/],
    ['examining a file', ['doctor', 'file'], 2, /file is not an Assay data directory/],
    ['a repair into what is there', ['doctor', 'restored', '--repair', 'full'], 2, /full is not empty/],
    ['a repair within the data', ['doctor', 'restored', '--repair', 'restored/better'], 2, /in which nothing is written/],
    ['a scratch directory that is not there', ['doctor', 'restored', '--scratch', 'no/such'], 2, /no\/such/]
  ])('%s', async (_name, args, code, says) => {
    const ran = await run(args)
    expect(ran.err).toMatch(says)
    expect(ran.code).toBe(code)
    expect(existsSync(inside('never'))).toBe(false)
  })

  test('a directory that a server has open', async () => {
    const ran = await run(['doctor', served.directory])
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/in use by another process/) })
  })

  test('a server that cannot be reached, and one that breaks off', async () => {
    const broken = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.assay.backup' })
      response.write(Buffer.from([0, 0, 0, 9]), () => response.destroy())
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => broken.once('listening', resolve))
    const { port } = broken.address() as AddressInfo
    expect(await run(['backup', 'never', '--registry', `http://127.0.0.1:${port}`])).toMatchObject({ code: 3 })
    await new Promise(resolve => broken.close(resolve))
    expect(await run(['backup', 'never', '--registry', `http://127.0.0.1:${port}`])).toMatchObject({ code: 3 })
    expect(readdirSync(directory).filter(name => name.startsWith('never'))).toEqual([])
  })
})

describe('in a process of its own', () => {
  const { run: runAlone, directory: place } = commandLine(() => served, { ownProcess: true })
  const below = (name: string): string => join(place, name)
  const source = inside('taken')

  test('a restore that is killed leaves nothing that would open, and the next one clears it away', async () => {
    const unfinished = below('killed.restoring/unfinished/journal')
    const ran = await runAlone(['restore', source, 'killed'], {
      onStart: child => {
        const timer = setInterval(() => {
          if (!existsSync(unfinished)) return
          clearInterval(timer)
          child.kill('SIGKILL')
        }, 1)
      }
    })
    expect(ran.code).toBe(null)
    expect(existsSync(below('killed'))).toBe(false)
    expect(await run(['doctor', below('killed.restoring')])).toMatchObject({ code: 2 })
    expect(await runAlone(['restore', source, 'killed'])).toMatchObject({ code: 0, err: '' })
    expect(readdirSync(place)).toEqual(['killed'])
    expect((await run(['doctor', below('killed')])).code).toBe(0)
  })

  // Files that may not grow stand for a disk that is full.
  test.skipIf(process.platform === 'win32').each([
    ['restore', source],
    ['backup', undefined]
  ])('%s without room says so and leaves nothing behind', async (verb, from) => {
    const node = below('cramped-node')
    writeFileSync(node, `#!/bin/sh\ntrap '' XFSZ\nulimit -f 40\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 })
    const ran = await runAlone([verb, ...(from === undefined ? [] : [from]), 'cramped'], { node })
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/could not .*(too large|File too large)/i) })
    expect(readdirSync(place).filter(name => name.startsWith('cramped') && name !== 'cramped-node')).toEqual([])
  })

  test('a data directory that was killed under load is sound', async () => {
    const other = await serve()
    const { run: runThere } = commandLine(() => other, { ownProcess: false })
    await runThere(['topic', 'create', 'orders', '--partitions', '2'])
    const acked: string[] = []
    const producer = new Producer({ clientId: 'doomed', bootstrapBrokers: [other.kafka], retries: 0 })
    const producing = (async () => {
      for (let at = 0; ; at++) {
        const value = Buffer.from(`${at}.${'y'.repeat(2000)}`)
        await producer.send({ messages: [{ topic: 'orders', partition: at % 2, value }], acks: ProduceAcks.ALL })
        acked.push(String(value))
      }
    })().catch(() => {})
    await expect.poll(() => acked.length, { timeout: 20_000 }).toBeGreaterThan(100)
    await other.kill()
    await producing
    await producer.close(true).catch(() => {})
    const ran = await run(['doctor', other.directory, '--json'])
    expect(ran.code, ran.out).toBe(0)
    expect(JSON.parse(ran.out)).toMatchObject({ isSound: true })
    expect((JSON.parse(ran.out) as { rows: number }).rows).toBeGreaterThanOrEqual(acked.length)
  }, 60_000)
})

describe('of a data directory', () => {
  test('the doctor changes no byte, tells programs what it found, and saves what is sound', async () => {
    cpSync(inside('restored'), inside('hurt'), { recursive: true })
    const untouched = contentOf(inside('hurt'))
    expect((await run(['doctor', 'hurt'])).code).toBe(0)
    expect(contentOf(inside('hurt'))).toEqual(untouched)

    const name = filesOf(inside('hurt/journal')).find(file => file.endsWith('.segment'))!
    const file = join(inside('hurt/journal'), name)
    const bytes = readFileSync(file)
    const at = bytes.indexOf('x'.repeat(100))
    bytes[at + 50] = 0x79
    writeFileSync(file, bytes)
    const hurt = contentOf(inside('hurt'))
    const ran = await run(['doctor', 'hurt', '--repair', 'saved', '--json'])
    expect(ran.code).toBe(1)
    expect(contentOf(inside('hurt'))).toEqual(hurt)
    const told = JSON.parse(ran.out) as {
      findings: object[]
      repaired: { losses: { topic: string; from: number; to: number }[] }
    }
    expect(told).toMatchObject({ isSound: false })
    expect(told.findings).toContainEqual(expect.objectContaining({ kind: 'batch', severity: 'damage', topic: 'orders' }))
    expect(told.repaired.losses).toEqual([expect.objectContaining({ topic: 'orders' })])
    const { from, to } = told.repaired.losses[0]!

    expect(await run(['doctor', 'saved'])).toMatchObject({ code: 0 })
    const [whole, saved] = [await serve({ directory: inside('restored') }), await serve({ directory: inside('saved') })]
    try {
      const count = await countOf(whole, 'orders')
      expect(await countOf(saved, 'orders')).toBe(count)
      const left = await valuesOf(saved, 'orders', count - (to - from + 1))
      const all = await valuesOf(whole, 'orders', count)
      for (const value of left) expect(all.has(value)).toBe(true)
    } finally {
      await Promise.all([whole.stop(), saved.stop()])
    }
  }, 60_000)
})
