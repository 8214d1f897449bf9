/** The bound on failed log-ins. */
import { describe, expect, test } from 'vitest'
import { networkOf, openAttempts } from './attempts.ts'
import { handClock } from './time.fixture.ts'

describe('attempts', () => {
  test('are refused after too many failures, for the rest of the minute', () => {
    const clock = handClock()
    const attempts = openAttempts(clock, 3)
    const begin = (): number | undefined => attempts.begin('10.0.0.1')
    expect([begin(), begin(), begin()]).toEqual([undefined, undefined, undefined])
    clock.advance(20_000)
    expect(begin()).toBe(40_000)
    expect(attempts.begin('10.0.0.2')).toBeUndefined()
    clock.advance(40_000)
    expect(begin()).toBeUndefined()
  })

  test('that succeed use up nothing, those under way count as failed', () => {
    const attempts = openAttempts(handClock(), 2)
    for (let n = 0; n < 10; n++) {
      expect(attempts.begin('10.0.0.1')).toBeUndefined()
      attempts.succeeded('10.0.0.1')
    }
    attempts.begin('10.0.0.1')
    attempts.begin('10.0.0.1')
    expect(attempts.begin('10.0.0.1')).toBe(60_000)
  })

  test('of any number of addresses take a bounded memory', () => {
    const attempts = openAttempts(handClock(), 1)
    attempts.begin('10.0.0.1')
    for (let n = 0; n < 9_999; n++) attempts.begin(`host-${n}`)
    expect(attempts.begin('10.0.0.1')).toBeDefined()
    attempts.begin('one-more')
    expect(attempts.begin('10.0.0.1')).toBeUndefined()
  })
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64']
])('%s belongs to %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
