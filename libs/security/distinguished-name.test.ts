/** Distinguished names against what Java 17's `X500Principal.getName()` answered for certificates that OpenSSL made. */
import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { issue } from './certificates.fixture.ts'
import { subjectOf } from './distinguished-name.ts'

const rows: [name: string, subject: string, java: string][] = [
  [
    'several values in one place, and a comma',
    '305e310b3009060355040613024445310f300d06035504080c064265726c696e310f300d06035504070c064265726c696e31143012060355040a0c0b41737361792c20496e632e31173008060355040b0c0161300b06035504030c04616e6e61',
    'OU=a+CN=anna,O=Assay\\, Inc.,L=Berlin,ST=Berlin,C=DE'
  ],
  [
    'every character that is escaped',
    '303d310b300906035504061302444531133011060355040a0c0a783d793b7a3c3e2322713119301706035504030c10206c65616420616e6420747261696c20',
    'CN=\\ lead and trail\\ ,O=x\\=y\\;z\\<\\>\\#\\"q,C=DE'
  ],
  [
    'kinds of attributes that have no name',
    '3045310e300c06035504030c052368617368311f301d06092a864886f70d0109011610616e6e61406578616d706c652e636f6d31123010060a0992268993f22c6401010c023737',
    'UID=77,1.2.840.113549.1.9.1=#1610616e6e61406578616d706c652e636f6d,CN=\\#hash'
  ],
  [
    'domain components, a backslash',
    '304531133011060a0992268993f22c6401191603636f6d31173015060a0992268993f22c64011916076578616d706c653115301306035504030c0c5c206261636b2f736c617368',
    'CN=\\\\ back/slash,DC=example,DC=com'
  ],
  [
    'letters beyond ASCII',
    '305131143012060355040a0c0b4772c3b6c39f6520e5af86310f300d06035504030c066e61c3af7665310b3009060355040c0c024472310a30080603550405130135310f300d06035504090c064d61696e2031',
    'STREET=Main 1,2.5.4.5=#130135,2.5.4.12=#0c024472,CN=naïve,O=Größe 密'
  ],
  [
    'values in one place, not at the end',
    '302f311e300b06035504030c04616e6e61300f060a0992268993f22c6401010c0137310d300b060355040a0c047a776569',
    'O=zwei,CN=anna+UID=7'
  ],
  [
    'spaces at the ends',
    '302f3118301606035504030c0f202074776f2020696e6e657220202031133011060355040a0c0a613a622a6340645f6521',
    'O=a:b*c@d_e!,CN=\\ \\ two  inner\\ \\ \\ '
  ]
]

/** A certificate with nothing in it but its subject, in the place where that stands. */
function certificateOf(subject: string, { hasVersion = true } = {}): Buffer {
  const sequence = (...parts: Buffer[]): Buffer => {
    const content = Buffer.concat(parts)
    return Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff]), content])
  }
  const version = hasVersion ? [Buffer.from('a003020102', 'hex')] : []
  const serial = Buffer.from('020101', 'hex')
  const signed = sequence(...version, serial, sequence(), sequence(), sequence(), Buffer.from(subject, 'hex'))
  return sequence(signed, sequence())
}

describe('the subject of a certificate', () => {
  test.each(rows)('is written as Java writes it: %s', (_name, subject, java) => {
    expect(subjectOf(certificateOf(subject))).toBe(java)
    expect(subjectOf(certificateOf(subject, { hasVersion: false }))).toBe(java)
  })

  test('is read from a whole certificate', () => {
    const { certificate } = issue([
      ['C', 'DE'],
      ['O', 'Assay, Inc.'],
      ['CN', 'anna']
    ])
    expect(subjectOf(new X509Certificate(certificate).raw)).toBe('CN=anna,O=Assay\\, Inc.,C=DE')
  })

  test('goes in digits where it is no text, so that two cannot look the same', () => {
    const latin = '300d310b300906035504030c02fffe'
    expect(subjectOf(certificateOf(latin))).toBe('CN=#0c02fffe')
  })

  test('may be empty', () => {
    expect(subjectOf(certificateOf('3000'))).toBe('')
  })

  test('is not read from what is no certificate, wherever it ends', () => {
    const whole = certificateOf(rows[0]![1])
    for (let length = 0; length < whole.length - 4; length++) {
      expect(() => subjectOf(whole.subarray(0, length)), `cut to ${length} bytes`).toThrow('the certificate cannot be read')
    }
    expect(() => subjectOf(Buffer.from('3080', 'hex'))).toThrow('the certificate cannot be read')
  })
})
