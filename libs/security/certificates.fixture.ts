/** Makes X.509 certificates for tests, in DER by hand: an authority and what it signs. Good enough for OpenSSL, made for nobody else. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Issued {
  readonly certificate: string
  readonly key: string
  readonly privateKey: KeyObject
  /** DER of the name, by which others say who issued them. */
  readonly name: Buffer
}

type Attributes = readonly (readonly [type: 'CN' | 'O' | 'C' | 'DC', value: string])[]

const OIDS = { CN: '550403', O: '55040a', C: '550406', DC: '0992268993f22c640119' }

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const time = (ms: number): Buffer => der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
const nameOf = (attributes: Attributes): Buffer =>
  sequence(...attributes.map(([type, value]) => der(0x31, sequence(oid(OIDS[type]), der(0x0c, Buffer.from(value))))))
const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${bytes
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END CERTIFICATE-----\n`
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x01, Buffer.from([0xff])), der(0x04, value))

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
const DAY_MS = 86_400_000

/** Signed by the authority given, or by itself. `at` is the middle of the two days in which it is good. */
export function issue(subject: Attributes, { by, at = Date.now() }: { readonly by?: Issued; readonly at?: number } = {}): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = nameOf(subject)
  const serial = randomBytes(8)
  serial[0] = 1
  const basicConstraints = extension('551d13', by ? sequence() : sequence(der(0x01, Buffer.from([0xff]))))
  const localhost = sequence(
    oid('551d11'),
    der(0x04, sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))))
  )
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    by?.name ?? name,
    sequence(time(at - DAY_MS), time(at + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints, localhost))
  )
  const signature = sign('sha256', signed, by?.privateKey ?? privateKey)
  const certificate = sequence(signed, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature))
  return { certificate: pem(certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, privateKey, name }
}
