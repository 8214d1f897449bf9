import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decoyHash, formatHash, hashPassword, parseHash, verifyPassword } from './password.ts'

describe('a password hash', () => {
  test('is checked after it was written and read', async () => {
    const text = formatHash(await hashPassword('ein Paßwort: 密码', randomBytes))
    expect(text).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    const hash = parseHash(text)!
    expect(await verifyPassword('ein Paßwort: 密码', hash)).toBe(true)
    expect(await verifyPassword('ein Paßwort: 密', hash)).toBe(false)
    expect(await verifyPassword('', hash)).toBe(false)
  })

  test('is the same for either spelling of an accent', async () => {
    expect(await verifyPassword('caf\u00e9', await hashPassword('cafe\u0301', randomBytes))).toBe(true)
  })

  test('agrees with the vector of RFC 7914', async () => {
    const hash = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex'
    )
    expect(await verifyPassword('pleaseletmein', { ln: 14, r: 8, p: 1, salt: Buffer.from('SodiumChloride'), hash })).toBe(true)
  })

  test('of nobody is as costly as that of somebody and fits no password', async () => {
    const own = { ...(await hashPassword('x', randomBytes)), ln: 11 }
    const decoy = decoyHash(randomBytes, own)
    expect([decoy.ln, decoy.r, decoy.p, decoy.hash.length]).toEqual([11, 8, 1, 32])
    expect(await verifyPassword('x', decoy)).toBe(false)
  })

  const rows: [name: string, text: string][] = [
    ['no hash', 'secret'],
    ['bcrypt', '$2b$10$abcdefghijklmnopqrstuv'],
    ['too weak', '$scrypt$ln=9,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['too costly', '$scrypt$ln=22,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a short salt', '$scrypt$ln=15,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a short hash', '$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA']
  ]
  test.each(rows)('is refused: %s', (_name, text) => {
    expect(parseHash(text)).toBeUndefined()
  })
})
