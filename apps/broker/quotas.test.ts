/** Accounts of bytes: what may come at once, what is owed, and who shares a limit. */

import type { ClientQuotas } from '@assay/engine'
import { describe, expect, test } from 'vitest'
import { fakeClock } from '../../libs/engine/level/engine.fixture.ts'
import { openQuotaDesk } from './quotas.ts'

/** One limit of a user for all of his clients. */
const quotas = (bytesPerSecond: number): ClientQuotas => ({
  isEmpty: false,
  entries: () => [],
  limit: (key, user) => (key === 'producer_byte_rate' && user !== 'free' ? { bytesPerSecond, sharedBy: user } : undefined),
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
    expect(desk.throttles).toEqual({ producer_byte_rate: 2, consumer_byte_rate: 0 })
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
