/** Accounts of bytes and time: what may come at once, what is owed, and who shares a limit. */

import type { ClientQuotas, QuotaKey } from '@assay/engine'
import { describe, expect, test } from 'vitest'
import { fakeClock } from '../../libs/engine/level/engine.fixture.ts'
import { openQuotaDesk } from './quotas.ts'

/** One limit of a user for all of his clients. */
const quotas = (bound: number, of: QuotaKey = 'producer_byte_rate'): ClientQuotas => ({
  isEmpty: false,
  entries: () => [],
  isSet: key => key === of,
  limit: (key, { principal }) => (key === of && principal !== 'User:free' ? { bound, sharedBy: principal } : undefined),
  change: async () => {}
})

describe('a quota', () => {
  const open = () => {
    const clock = fakeClock()
    const desk = openQuotaDesk(quotas(1000), clock)
    return {
      clock,
      desk,
      send: (user: string, bytes: number) =>
        desk.charge('producer_byte_rate', { principal: `User:${user}`, clientId: 'c' }, bytes)
    }
  }

  test('lets a second of it through at once, and has the rest waited for', () => {
    const { send, clock, desk } = open()
    expect([send('anna', 600), send('anna', 400), send('anna', 500)]).toEqual([0, 0, 500])
    clock.advance(500)
    expect(send('anna', 1)).toBe(1)
    clock.advance(60_000)
    expect(send('anna', 1000)).toBe(0)
    expect(desk.throttles).toMatchObject({ producer_byte_rate: 2, consumer_byte_rate: 0 })
  })

  test('is shared by whoever shares it, and by nobody else', () => {
    const { send, desk } = open()
    expect([send('anna', 2000), send('bert', 1000), send('free', 1e9), send('anna', 1000)]).toEqual([1000, 0, 0, 2000])
    expect(desk.charge('consumer_byte_rate', { principal: 'User:anna', clientId: null }, 1e9)).toBe(0)
  })

  test('holds nobody for longer than clients wait for an answer, and forgets nothing', () => {
    const { send, clock } = open()
    expect(send('anna', 101_000)).toBe(15_000)
    clock.advance(15_000)
    expect(send('anna', 0)).toBe(15_000)
    clock.advance(85_000)
    expect(send('anna', 0)).toBe(0)
  })
})

describe('a quota of time', () => {
  const open = (percent: number) => {
    const clock = fakeClock()
    const desk = openQuotaDesk(quotas(percent, 'request_percentage'), clock)
    return { clock, desk, work: (ms: number) => desk.charge('request_percentage', { principal: 'User:anna', clientId: 'c' }, ms) }
  }

  test('is so much of each second', () => {
    const { work, clock, desk } = open(20)
    expect([work(150), work(50), work(30)]).toEqual([0, 0, 150])
    clock.advance(150)
    expect(work(0)).toBe(0)
    expect(desk.throttles.request_percentage).toBe(1)
  })

  test('has nobody wait for more than a second, and forgives what is older than ten', () => {
    const { work, clock } = open(1)
    expect(work(1000)).toBe(1000)
    expect(work(100_000)).toBe(1000)
    clock.advance(9999)
    expect(work(0)).toBe(1)
    clock.advance(1)
    expect(work(0)).toBe(0)
  })

  test('measures only where there is one', () => {
    const idle = openQuotaDesk(quotas(1000), fakeClock())
    expect([idle.begin(), idle.run(undefined, () => 5)]).toEqual([undefined, 5])
    let nowMs = 0
    let isSet = true
    const desk = openQuotaDesk({ ...quotas(5), isSet: () => isSet }, fakeClock(), () => nowMs)
    const work = desk.begin()!
    desk.run(work, () => {
      nowMs += 3
    })
    expect(work.ms).toBe(3)
    isSet = false
    expect(desk.begin()).toBe(undefined)
    desk.run(work, () => {
      nowMs += 3
    })
    expect(work.ms).toBe(3)
    desk.close()
  })
})
