/** SCRAM against the example of RFC 7677, and what must not pass. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  decoyScramKey,
  formatScramKey,
  parseScramKey,
  type ScramKey,
  scramExchange,
  scramKeysOf,
  scramMechanisms,
  verifyScramPassword
} from './scram.ts'

/** The keys of the password `pencil` under the RFC's salt. */
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const pencil: ScramKey = {
  iterations: 4096,
  salt,
  storedKey: Buffer.from('WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=', 'base64'),
  serverKey: Buffer.from('wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=', 'base64')
}
const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
/** Chance that comes out as the RFC's example has it. */
const random = () => ({ toString: () => SERVER_NONCE }) as unknown as Buffer
const CLIENT_FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO'
const NONCE = `rOprNGfwEbeRWgbNEkqO${SERVER_NONCE}`
const PROOF = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='

const begin = (clientFirst = CLIENT_FIRST) => scramExchange('SCRAM-SHA-256', clientFirst, () => pencil, random)

describe('the example of RFC 7677', () => {
  test('goes through message by message', () => {
    const exchange = begin()!
    expect([exchange.name, exchange.serverFirst]).toEqual(['user', `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`])
    expect(exchange.finish(`c=biws,r=${NONCE},p=${PROOF}`)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  })

  test('has the keys of its password', async () => {
    expect(await verifyScramPassword('SCRAM-SHA-256', 'pencil', pencil)).toBe(true)
    expect(await verifyScramPassword('SCRAM-SHA-256', 'Pencil', pencil)).toBe(false)
  })

  test.each([
    ['another proof', `c=biws,r=${NONCE},p=${PROOF.replace('d', 'e')}`],
    ['a short proof', `c=biws,r=${NONCE},p=dHzb`],
    ['another nonce', `c=biws,r=${NONCE}x,p=${PROOF}`],
    ['the nonce of the client alone', `c=biws,r=rOprNGfwEbeRWgbNEkqO,p=${PROOF}`],
    ['another header than the one it began with', `c=eSws,r=${NONCE},p=${PROOF}`],
    ['no proof', `c=biws,r=${NONCE}`],
    ['nothing', '']
  ])('does not go through with %s', (_name, clientFinal) => {
    expect(begin()!.finish(clientFinal)).toBeUndefined()
  })

  test.each([
    ['nothing', ''],
    ['channel binding', 'p=tls-unique,,n=user,r=x'],
    ['an extension that must be understood', 'n,,m=x,n=user,r=x'],
    ['another user than the one who is asked for', 'n,a=other,n=user,r=x'],
    ['an equals sign that stands for nothing', 'n,,n=us=er,r=x'],
    ['no nonce', 'n,,n=user,r='],
    ['a delegation token', 'n,,n=user,r=x,tokenauth=true']
  ])('does not begin with %s', (_name, clientFirst) => {
    expect(begin(clientFirst)).toBeUndefined()
  })

  test.each([
    ['n,a=user,n=user,r=x', 'user'],
    ['y,,n=us=3Der=2C,r=x', 'us=er,'],
    ['n,,n=user,r=x,e=extension', 'user']
  ])('begins with %s', (clientFirst, name) => {
    expect(begin(clientFirst)?.name).toBe(name)
  })
})

test.each(scramMechanisms)('a key of %s is read as it is written, and not as another', async mechanism => {
  const key = (await scramKeysOf('secret', randomBytes)).get(mechanism)!
  const text = formatScramKey(mechanism, key)
  expect(parseScramKey(mechanism, text)).toEqual(key)
  expect(text).not.toContain('secret')
  for (const other of scramMechanisms.filter(name => name !== mechanism)) expect(parseScramKey(other, text)).toBeUndefined()
  for (const bad of [`${text}=x`, text.replace(/\d+:/, '1:'), text.replace(/\d+:/, '9999999:'), text.slice(0, -8)]) {
    expect(parseScramKey(mechanism, bad)).toBeUndefined()
  }
})

test('a decoy looks like a key, is the same each time, and another one for another name', () => {
  const seed = Buffer.from('seed')
  const [once, again, other] = ['a', 'a', 'b'].map(name => decoyScramKey('SCRAM-SHA-256', name, seed, pencil))
  expect(once).toEqual(again)
  expect(once!.salt).not.toEqual(other!.salt)
  expect([once!.salt.length, once!.iterations, once!.storedKey.length]).toEqual([salt.length, 4096, 32])
})
