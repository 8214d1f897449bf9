import { framedId, parseSchema, validatorFor, WIRE_FORMAT_BYTES } from '@assay/avro'
import { describe, expect, test } from 'vitest'
import { consumedOf, producedOf } from '../../peers/kafka-tools.ts'
import { randomOf } from '../../suites/random.ts'
import type { Goal } from '../goals.ts'
import { rolesOf } from './brokers.ts'
import { type Cell, cellsOf } from './cells.ts'
import { figuresOf, type Round, type Row, ratioOf, ratiosOf } from './figures.ts'
import { goalsOf } from './goals.ts'
import { payload, schemaText } from './payloads.ts'

const names = (filters: readonly string[], quick = false): string[] => cellsOf({ quick, filters }).map(({ name }) => name)

describe('cells', () => {
  test('all: every size, batch, codec and acks of a producer, and each but acks of a consumer', () => {
    const all = names([])
    expect(new Set(all).size).toBe(all.length)
    expect(all.filter(name => name.startsWith('produce/'))).toHaveLength(24)
    expect(all.filter(name => name.startsWith('consume/'))).toHaveLength(12)
  })

  test.each([
    ['one part', ['paced'], ['paced/100/16k/1/none', 'paced/100/16k/all/none']],
    ['several parts, in any order', ['zstd/1024/consume/256k'], ['consume/1024/256k/all/zstd']],
    ['several filters', ['paced/1', 'consume/100/16k/lz4'], ['paced/100/16k/1/none', 'consume/100/16k/all/lz4']]
  ])('--cells with %s', (_, filters, expected) => {
    expect(names(filters)).toEqual(expected)
  })

  test('quick ones have a quarter of the records, and acks=1 only when it is asked for', () => {
    expect(names([], true).some(name => name.includes('/1/'))).toBe(false)
    expect(names(['paced/1'], true)).toEqual(['paced/100/16k/1/none'])
    const [quick, full] = [true, false].map(isQuick => cellsOf({ quick: isQuick, filters: ['produce/1024/16k/all/none'] })[0]!)
    expect(quick!.records * 4).toBe(full!.records)
  })

  test('validation is measured where a producer waits for all', () => {
    const [one, all] = cellsOf({ quick: false, filters: ['paced'] })
    expect(rolesOf(one!)).not.toContain('deep')
    expect(rolesOf(all!)).toContain('deep')
  })
})

test.each([100, 1024])('payloads of %i bytes are valid, in ASCII, and not all the same', bytes => {
  const random = randomOf(7)
  const faultOf = validatorFor(parseSchema(schemaText))
  const made = Array.from({ length: 50 }, () => payload(random, bytes, 3))
  for (const one of made) {
    expect(one).toHaveLength(bytes)
    expect(framedId(one)).toBe(3)
    expect(one.every(byte => byte < 0x80)).toBe(true)
    expect(faultOf(one, WIRE_FORMAT_BYTES, one.length)).toBeUndefined()
  }
  expect(new Set(made.map(one => one.toString('hex'))).size).toBe(50)
})

describe("what Kafka's tools print", () => {
  const whole =
    '100 records sent, 83846.5 records/sec (8.00 MB/sec), 10.30 ms avg latency, 81.00 ms max latency, 9 ms 50th, 29 ms 95th, 76 ms 99th, 80 ms 99.9th.\n'
  const steady = whole.replace('100 records', '80 steady state records').replace('83846.5', '90000.25').replace('76 ms', '12 ms')

  test('the steady state counts where there is one', () => {
    expect(producedOf(whole)).toEqual({ recordsPerSecond: 83846.5, p50Ms: 9, p99Ms: 76 })
    expect(producedOf(`Warmup first 20 records.\n${whole}${steady}`)).toEqual({ recordsPerSecond: 90000.25, p50Ms: 9, p99Ms: 12 })
  })

  test('of a consumer, the time of fetching', () => {
    const line = '2026-11-23 10:34:31:816, 2026-11-23 10:34:32:447, 47.6, 75.5, 500000, 792393.02, 259, 372, 128.1, 1344086.02\n'
    expect(consumedOf(line)).toEqual({ records: 500000, recordsPerSecond: 1344086.02 })
  })

  test('nothing of it is an error that shows what came instead', () => {
    expect(() => producedOf('no broker')).toThrow(/no summary:\nno broker/)
    expect(() => consumedOf('no broker')).toThrow(/no figures:\nno broker/)
  })
})

const round = (recordsPerSecond: number, over: Partial<Round> = {}): Round => ({
  ...{ recordsPerSecond, p50Ms: 1, p99Ms: 2, cpuSeconds: 4, clientCpuSeconds: 9, rssMiB: 100, othersPercent: 0, idlePercent: 10 },
  ...over
})
const [plain, packed, paced] = ['produce/100/16k/all/none', 'produce/100/16k/all/lz4', 'paced/all'].map(
  filter => cellsOf({ quick: false, filters: [filter] })[0]!
) as [Cell, Cell, Cell]
const row = (cell: Cell, role: Row['role'], figures: Round): Row => ({ cell, role, broker: role, figures })

test('rounds: medians, and of the memory the most', () => {
  const rounds = [round(10, { rssMiB: 120 }), round(30, { cpuSeconds: 9 }), round(20, { p99Ms: undefined })]
  expect(figuresOf(rounds)).toEqual(round(20, { rssMiB: 120 }))
})

describe('beside Kafka', () => {
  const rows = [
    row(plain, 'kafka', round(100)),
    row(plain, 'off', round(50, { cpuSeconds: 2 })),
    row(packed, 'kafka', round(100)),
    row(packed, 'off', round(200, { cpuSeconds: 2, rssMiB: 310 })),
    row(paced, 'kafka', round(10)),
    row(paced, 'off', round(10, { p99Ms: 7 }))
  ]
  const goal = (what: string): Goal => goalsOf(rows, undefined).find(one => one.what.startsWith(what))!

  test('ratios are of one cell, and a fixed pace has none of throughput', () => {
    expect(ratioOf(rows, rows[1]!, 'recordsPerSecond')).toBe(0.5)
    expect(ratioOf(rows, rows[0]!, 'recordsPerSecond')).toBeUndefined()
    expect(ratioOf(rows, rows[5]!, 'recordsPerSecond')).toBeUndefined()
    expect(ratiosOf(rows, 'produce', 'off', 'recordsPerSecond')).toEqual({ mean: 1, least: 0.5, leastIn: plain.name })
    expect(ratiosOf(rows, 'consume', 'off', 'recordsPerSecond')).toBeUndefined()
  })

  test('goals', () => {
    expect(goal('produce, geometric').measured).toBe(1)
    expect(goal('produce, least')).toMatchObject({ measured: 0.5, note: plain.name })
    expect(goal('produce with deep').measured).toBeUndefined()
    expect(goal('CPU').measured).toBe(0.5)
    expect(goal('p99').measured).toBe(7)
    expect(goal('RSS under').measured).toBe(310)
    expect(goal('start').measured).toBeUndefined()
  })

  test('the slower of two starts counts', () => {
    const starts = { newMs: 400, againMs: 600, idleRssMiB: 90 }
    expect(goalsOf(rows, starts).find(({ what }) => what === 'start to ready')?.measured).toBe(600)
  })
})
