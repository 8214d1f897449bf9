import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseSchema } from '@assay/avro'
import { describe, expect, test } from 'vitest'
import { fixedRow, timedRow, type Used } from './figures.ts'
import { fixedLoad, hasWrk } from './fixed-load.ts'
import { measuredSchema } from './schemas.ts'

const used = (cpuMs: number, rssMiB: number): Used => ({ before: { cpuMs: 0, rssMiB: 1 }, after: { cpuMs, rssMiB }, seconds: 2 })

describe('rounds become a row', () => {
  test('of one request again and again: the mean, and the worst p99', () => {
    const rounds = [
      { requestsPerSecond: 100, p50Ms: 1, p99Ms: 9, bad: 1, ...used(1000, 80) },
      { requestsPerSecond: 300, p50Ms: 3, p99Ms: 5, bad: 2, ...used(2000, 90) }
    ]
    expect(fixedRow(rounds)).toEqual({ requestsPerSecond: 200, p50Ms: 2, p99Ms: 9, bad: 3, cpuPercent: 75, rssMiB: 90 })
  })

  test('of registrations: all of them over all the time, first and last apart', () => {
    const latencies = [
      ...Array.from({ length: 20 }, () => 1),
      ...Array.from({ length: 60 }, () => 2),
      ...Array.from({ length: 20 }, () => 5)
    ]
    const row = timedRow([
      { latencies, ...used(0, 1), seconds: 1 },
      { latencies, ...used(0, 1), seconds: 3 }
    ])
    expect(row).toMatchObject({ requestsPerSecond: 50, p50Ms: 2, p99Ms: 5, first20Ms: 1, last20Ms: 5 })
  })

  test('without /proc nothing is said of memory', () => {
    const round = { requestsPerSecond: 1, p50Ms: 1, p99Ms: 1, bad: 0, before: undefined, after: undefined, seconds: 1 }
    expect(fixedRow([round])).toMatchObject({ cpuPercent: undefined, rssMiB: undefined })
  })
})

test('the schemas of a row can read each other', () => {
  for (const extra of [0, 1, 199]) expect(() => parseSchema(measuredSchema('R', extra))).not.toThrow()
  expect(JSON.parse(measuredSchema('R', 3)).fields).toHaveLength(13)
})

describe('the load of one request', () => {
  test.for([
    ['by hand', false],
    ['by wrk', true]
  ] as const)('%s counts answers, and those that are not 2xx', async ([, byWrk], { skip }) => {
    if (byWrk && !hasWrk()) skip('wrk is not installed')
    const bodies = new Set<string>()
    let count = 0
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', part => {
        body += part
      })
      request.on('end', () => {
        bodies.add(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`)
        response.statusCode = ++count % 2 === 0 ? 404 : 200
        response.end('{}')
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=c`
    const outcome = await fixedLoad({ method: 'POST', url, body: '{"a":"b"}', connections: 2, seconds: 1 }, { byWrk })
    server.closeAllConnections()
    server.close()
    expect([...bodies]).toEqual(['POST /a?b=c application/vnd.schemaregistry.v1+json {"a":"b"}'])
    expect(outcome.requestsPerSecond).toBeGreaterThan(50)
    expect(outcome.p50Ms).toBeGreaterThan(0)
    expect(outcome.p99Ms).toBeGreaterThanOrEqual(outcome.p50Ms)
    expect(outcome.bad).toBeGreaterThan(count / 2 - 5)
    expect(outcome.bad).toBeLessThanOrEqual(count / 2)
  })
})
