/** Which mechanisms a setting offers. */
import { describe, expect, test } from 'vitest'
import { readMechanisms } from './sasl.ts'

describe('the setting of mechanisms', () => {
  test.each([
    ['PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER', true, ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']],
    ['PLAIN,OAUTHBEARER', false, ['PLAIN']],
    [' scram-sha-512 , scram-sha-512', true, ['SCRAM-SHA-512']]
  ])('%s, with tokens: %s', (text, tokens, offered) => {
    expect(readMechanisms(text, { tokens })).toEqual(offered)
  })

  test.each([
    ['GSSAPI', true, 'there are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER'],
    ['PLAIN,', true, 'there are PLAIN'],
    ['OAUTHBEARER', false, 'OAUTHBEARER needs jwt-keys']
  ])('%s, with tokens: %s, is refused', (text, tokens, says) => {
    expect(() => readMechanisms(text, { tokens })).toThrow(says)
  })
})
