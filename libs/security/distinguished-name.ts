/**
 * The subject of a certificate as Kafka writes it into a principal: RFC 2253, the last attribute first, as Java's
 * `X500Principal.getName()` does, so that one ACL means the same in both. Read from the certificate itself, because Node's
 * own text names other attributes than Java's and does not tell the kinds of their values.
 */
import { isUtf8 } from 'node:buffer'
import { AssayError } from '@assay/errors'

/** One value of ASN.1 in DER (X.690). */
interface Element {
  readonly tag: number
  readonly content: Buffer
  /** Tag and length included. */
  readonly whole: Buffer
}

const SEQUENCE = 0x30
const SET = 0x31
const OBJECT_IDENTIFIER = 0x06
const EXPLICIT_VERSION = 0xa0
/** UTF8String, PrintableString, T61String, IA5String, GeneralString. */
const TEXT_TAGS: readonly number[] = [0x0c, 0x13, 0x14, 0x16, 0x1b]

/** The attributes that RFC 2253 (2.3) writes by name; all others go by number. */
const KEYWORDS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID'
}

/** Fails with NOT_AUTHENTICATED when these bytes are no certificate. */
export function subjectOf(certificate: Buffer): string {
  const signed = elementsOf(one(certificate, SEQUENCE))[0]
  const fields = elementsOf(signed?.content ?? Buffer.alloc(0))
  const first = fields[0]?.tag === EXPLICIT_VERSION ? 1 : 0
  // After the version: serial number, algorithm, issuer, validity, subject (RFC 5280, 4.1).
  const subject = fields[first + 4]
  if (subject?.tag !== SEQUENCE) throw malformed()
  return elementsOf(subject.content)
    .reverse()
    .map(({ tag, content }) => (tag === SET ? elementsOf(content).map(attribute).join('+') : fail()))
    .join(',')
}

function attribute({ tag, content }: Element): string {
  const [type, value] = elementsOf(content)
  if (tag !== SEQUENCE || type?.tag !== OBJECT_IDENTIFIER || value === undefined) throw malformed()
  const number = numberOf(type.content)
  const keyword = KEYWORDS[number]
  const text = keyword === undefined ? undefined : textOf(value)
  return `${keyword ?? number}=${text === undefined ? `#${value.whole.toString('hex')}` : escaped(text)}`
}

/** Undefined for what goes as hexadecimal digits: other kinds of values, and bytes that are no text, of which two could look the same. */
function textOf({ tag, content }: Element): string | undefined {
  return TEXT_TAGS.includes(tag) && isUtf8(content) ? content.toString('utf8') : undefined
}

function escaped(text: string): string {
  const inner = text.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\u0000', '\\00')
  return inner.replace(/^ +| +$/g, spaces => '\\ '.repeat(spaces.length))
}

function numberOf(content: Buffer): string {
  const arcs: bigint[] = []
  let arc = 0n
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (byte & 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const [joined = 0n, ...rest] = arcs
  // The first number holds two arcs (X.690, 8.19.4).
  const top = joined < 80n ? joined / 40n : 2n
  return [top, joined - top * 40n, ...rest].join('.')
}

function one(bytes: Buffer, tag: number): Buffer {
  const { element } = elementAt(bytes, 0)
  if (element.tag !== tag) throw malformed()
  return element.content
}

function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const { element, end } = elementAt(bytes, at)
    elements.push(element)
    at = end
  }
  return elements
}

function elementAt(bytes: Buffer, at: number): { readonly element: Element; readonly end: number } {
  const tag = bytes[at]
  const short = bytes[at + 1]
  if (tag === undefined || short === undefined || (tag & 0x1f) === 0x1f) throw malformed()
  let length = short
  let start = at + 2
  if (short & 0x80) {
    const size = short & 0x7f
    if (size === 0 || size > 4 || start + size > bytes.length) throw malformed()
    length = bytes.readUIntBE(start, size)
    start += size
  }
  const end = start + length
  if (end > bytes.length) throw malformed()
  return { element: { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) }, end }
}

const malformed = (): AssayError => new AssayError('NOT_AUTHENTICATED', { reason: 'the certificate cannot be read' })
const fail = (): never => {
  throw malformed()
}
